## The buffer of an .igs file (docs/gpu-buffer.md), as `igs_tool pack` writes it.
extends RefCounted

## Words side by side, as IGS_ROW_LOG2 of the include says.
const ROW_WORDS := 2048

## A word per texel, a byte per channel: Godot's textures have no unsigned words.
var texture: ImageTexture
## Width and height in texels.
var size: Vector2i
## Values of a texel: the coded channels.
var channel_count: int


static func read(path: String):
	var bytes := FileAccess.get_file_as_bytes(path)
	if bytes.size() < 16 or bytes.slice(0, 4).get_string_from_ascii() != "IGSB":
		return null
	var found = new()
	var material := 4 * bytes.decode_u32(12)
	found.size = Vector2i(bytes.decode_u16(material + 4), bytes.decode_u16(material + 6))
	found.channel_count = bytes.decode_u8(material + 8)
	var rows := ceili(bytes.size() / (4.0 * ROW_WORDS))
	bytes.resize(4 * ROW_WORDS * rows)
	var image := Image.create_from_data(ROW_WORDS, rows, false, Image.FORMAT_RGBA8, bytes)
	found.texture = ImageTexture.create_from_image(image)
	return found


## A material whose shader includes igs_decode.gdshaderinc.
func material(shader: Shader) -> ShaderMaterial:
	var made := ShaderMaterial.new()
	made.shader = shader
	made.set_shader_parameter("igs_data", texture)
	return made
