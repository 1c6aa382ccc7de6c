def continued(first,
              second=(1,
    2)):
    total = first + \
        second[0]
    return total if \
first else None


class Holder:
    def text(self):
        query = """
    select *
        from table
"""
        # comment
    # a comment further left
        return query

    def outdented(self, value):
        if value:
            call(value,
        1,
  {
"key": value})

        return value  # the end

    # between

    def last(self):


        return [


            1,

        ]
    # after the last

def odd_indentation():
  if True:
       return 1
  else:
   return 2

def quotes():
    return 'it"s', "it's", 'a' "b", r'\n', b'x', f'{1!r:>{2}} {{}}', "\
continued"
# the end
