def whole(*a): pass
