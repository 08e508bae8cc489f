def whole(*a):
    pass
