"""A glTF asset in, its materials out: images, what their channels mean, and which texels its meshes use."""
