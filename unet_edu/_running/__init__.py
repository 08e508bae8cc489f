"""What a training needs around its loop, and the loop can be read without: devices, processes, files, going on."""
