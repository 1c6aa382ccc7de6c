def tabbed(x):
	if x:
		"""no docstring"""
		return x
	return None

class T:
	def method(self):
		"""Doc."""
		for i in self:
			yield i
