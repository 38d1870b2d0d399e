## godot --path . -- igs_data.bin                     a ball of the material
## godot --path . -- igs_data.bin --picture OUT.png   a picture of it
## godot --path . -- igs_data.bin --texels FOLDER     its texels, three channels to a picture
extends Node3D

const IgsBuffer := preload("res://igs_buffer.gd")


func _ready() -> void:
	var arguments := OS.get_cmdline_user_args()
	var path := arguments[0] if arguments.size() > 0 else "res://igs_data.bin"
	var buffer = IgsBuffer.read(path)
	if buffer == null:
		printerr("%s: not a buffer as igs_tool pack writes it" % path)
		get_tree().quit(1)
		return
	$Ball.material_override = buffer.material(preload("res://igs_surface.gdshader"))
	if arguments.size() < 3:
		return
	if arguments[1] == "--picture":
		await RenderingServer.frame_post_draw
		get_viewport().get_texture().get_image().save_png(arguments[2])
	else:
		await write_texels(buffer, arguments[2])
	get_tree().quit()


## Draws every texel where it lies, without light.
func write_texels(buffer, folder: String) -> void:
	$Ball.hide()
	var view := SubViewport.new()
	view.size = buffer.size
	view.disable_3d = true
	view.render_target_update_mode = SubViewport.UPDATE_ALWAYS
	var plane := ColorRect.new()
	plane.size = buffer.size
	plane.material = buffer.material(preload("res://igs_texels.gdshader"))
	view.add_child(plane)
	add_child(view)
	for first in range(0, buffer.channel_count, 3):
		plane.material.set_shader_parameter("first_channel", first)
		await RenderingServer.frame_post_draw
		await RenderingServer.frame_post_draw
		view.get_texture().get_image().save_png("%s/channels_%d.png" % [folder, first])
