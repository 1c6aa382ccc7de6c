//! Export of the maps, planes, layouts and curves in sight.

use std::{path::Path, sync::Arc};

use anyhow::Result;

use crate::{
    data::sums::Task,
    executor::{export, projection::Projected, views::ExecutorViews},
    training::run_folder::RunFolder,
};

/// Data to export, for a thread of its own.
pub struct Exports {
    /// Views the engine publishes.
    pub views: Arc<ExecutorViews>,
    /// The task to solve.
    pub task: Option<Task>,
    /// Finished layouts.
    pub layouts: Vec<Projected>,
}

impl Exports {
    /// Writes pictures and tables into a new folder; returns the text for the status line.
    ///
    /// # Errors
    /// If the folder is there already or can't be written.
    pub fn write(self, folder: &Path) -> Result<String> {
        let Self {
            views,
            task,
            layouts,
        } = self;
        let folder = RunFolder::create(folder)?.path().to_owned();
        if let Some(map) = views.landscape.get() {
            let task = task.filter(|task| task.examples[0] == map.sum);
            let task = task.unwrap_or(map.sum.into());
            let search = views.search.get();
            let search = search.filter(|s| *s.task == task && task.lines() == 1);
            export::map_png(&folder.join("map.png"), &map, &task, search.as_deref())?;
            export::map_csv(&folder.join("map.csv"), &map)?;
        }
        if let Some(planes) = views.planes.get() {
            export::planes_png(&folder.join("planes.png"), &planes)?;
            export::planes_csv(&folder.join("planes.csv"), &planes)?;
        }
        if !layouts.is_empty() {
            export::projections_png(&folder.join("projections.png"), &layouts)?;
            export::projections_csv(&folder.join("projections.csv"), &layouts)?;
        }
        if let Some(curves) = views.run.curves.get().filter(|curves| curves.len() > 1) {
            export::curves_png(&folder.join("curves.png"), &curves)?;
        }
        Ok(format!(
            "wrote maps, planes and tables into {}",
            folder.display()
        ))
    }
}
