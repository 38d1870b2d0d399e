"""A scene of 64 materials through a cache of pages: python examples/page_cache.py FOLDER OUT.png [FRAMES].

The .igs files of FOLDER (repeated up to 64 materials) lie in one buffer. A camera flies over a floor of 8 x 8 of them;
each frame says which pages it wants, compute shaders make those that are missing, and the floor is drawn from what is
there.
"""

import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from gl_textures import Storage
from lit_quad import camera_matrix
from PIL import Image

from imagegs_tex.formats.igs.container import read_igs
from imagegs_tex.shaders.gpu_buffer import join_materials, pack_gaussians
from imagegs_tex.shaders.load_jobs import ALIGNMENTS, level_sizes
from imagegs_tex.shaders.load_pages import Page, PageShape, PageSource, page_plan, place_page
from imagegs_tex.shaders.load_routes import PBR_CACHE, cache_shaders, cache_textures, page_routes
from imagegs_tex.shaders.shared_decoder import MOST_COMPONENTS, MOST_VALUES, shared_decoder

MATERIALS, ACROSS, SLOTS, A_FRAME, LEVELS = 64, 8, 16, 32, 15
WIDTH, HEIGHT, SMALLER = 960, 600, 8  # of the frame, and by how much the one that asks for pages is smaller
SHAPE = PageShape(side=128, border=4)

VERTEX = """#version 430
out vec2 place;
uniform mat4 camera;
void main()
{
    place = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
    gl_Position = camera * vec4(2.0 * place - 1.0, 0.0, 1.0);
}
"""
COMMON = f"""#version 430
in vec2 place;
layout(std430, binding = 5) readonly buffer Levels {{ ivec4 levels[]; }}; // first entry, pages across, width, height
layout(std430, binding = 6) readonly buffer Table {{ int table[]; }};     // slot of each page, -1 without
uniform float bias; // of the level: the frame that asks for pages is smaller
int material() {{ ivec2 at = clamp(ivec2(place * {ACROSS}.0), 0, {ACROSS - 1}); return at.y * {ACROSS} + at.x; }}
vec2 inside() {{ vec2 at = fract(place * {ACROSS}.0); return vec2(at.x, 1.0 - at.y); }}
int wanted(int own)
{{
    vec2 size = vec2(levels[own * {LEVELS}].zw);
    vec2 x = dFdx(place) * {ACROSS}.0 * size, y = dFdy(place) * {ACROSS}.0 * size;
    return int(clamp(log2(max(max(length(x), length(y)), 1.0)) + bias + 0.5, 0.0, float({LEVELS - 1})));
}}
ivec2 page(vec2 texel) {{ return ivec2(texel) / {SHAPE.step}; }}
"""
ASK = (
    COMMON
    + f"""
out uvec2 asked; // material and level, page
void main()
{{
    int own = material(), level = wanted(own);
    while (level > 0 && levels[own * {LEVELS} + level].z == 0) --level;
    ivec2 at = page(inside() * vec2(levels[own * {LEVELS} + level].zw));
    asked = uvec2(uint(own) | uint(level) << 16u | 1u << 31u, uint(at.x) | uint(at.y) << 16u);
}}
"""
)
DRAW = (
    COMMON
    + f"""
out vec4 colour;
uniform sampler2D base, normals, values;
void main()
{{
    int own = material(), level = wanted(own), slot = -1;
    while (level > 0 && levels[own * {LEVELS} + level].z == 0) --level;
    vec2 texel = vec2(0.0);
    for (; slot < 0 && levels[own * {LEVELS} + level].z > 0; ++level) {{ // the next coarser page that is there
        ivec4 known = levels[own * {LEVELS} + level];
        texel = min(inside() * vec2(known.zw), vec2(known.zw) - 0.001);
        ivec2 at = page(texel);
        slot = table[known.x + at.y * known.y + at.x];
        texel += vec2({SHAPE.border} - at * {SHAPE.step});
    }}
    vec2 uv = (vec2(slot % {SLOTS}, slot / {SLOTS}) * {SHAPE.side}.0 + texel) / {SLOTS * SHAPE.side}.0;
    vec2 side = 2.0 * textureLod(normals, uv, 0.0).rg - 1.0;
    vec3 normal = normalize(vec3(side, sqrt(max(0.0, 1.0 - dot(side, side)))));
    float lambert = max(dot(normal, normalize(vec3(-0.5, 0.6, 0.7))), 0.0);
    vec3 light = textureLod(base, uv, 0.0).rgb * (0.15 + lambert * mix(1.1, 0.8, textureLod(values, uv, 0.0).g));
    colour = vec4(slot < 0 ? vec3(1.0, 0.0, 1.0) : pow(min(light, 1.0), vec3(1.0 / 2.2)), 1.0);
}}
"""
)


class PageCache:
    """Slots of an atlas, the least recently asked one of which is given away."""

    def __init__(self, context: moderngl.Context, words: np.ndarray, sources: list[PageSource]) -> None:
        self.context, self.sources = context, sources
        self.textures = cache_textures(PBR_CACHE)
        self.formats = [texture.pixel_format for texture in self.textures]
        self.data = context.buffer(words.tobytes())
        includes = shared_decoder(MOST_COMPONENTS, MOST_VALUES).includes
        texts = cache_shaders(includes, PBR_CACHE, "glsl")
        self.shaders = dict(zip(("first", "next"), map(context.compute_shader, texts), strict=True))
        side = SLOTS * SHAPE.side
        self.atlas = [Storage(context, each.vulkan, (side, side), 1) for each in self.formats]
        self.held: OrderedDict[tuple[int, int, int, int], int] = OrderedDict()
        self.levels = np.zeros((MATERIALS, LEVELS, 4), dtype=np.int32)
        count = 0
        for number, source in enumerate(sources):
            for level, (width, height) in enumerate(level_sizes(source.width, source.height)):
                across, down = SHAPE.counts(width, height)
                self.levels[number, level] = count, across, width, height
                count += across * down
        self.table = np.full(count, -1, dtype=np.int32)
        self.output = context.buffer(reserve=place_page(self.formats, SHAPE, A_FRAME - 1, ALIGNMENTS["glsl"])[1])
        self.page_bytes = place_page(self.formats, SHAPE, 0, ALIGNMENTS["glsl"])[1]

    def request(self, pages: list[tuple[int, int, int, int]]) -> tuple[int, int, int]:
        """Make what is missing of pages (material, level, x, y); return hits, misses and how many were made."""
        missing = [page for page in pages if page not in self.held]
        for page in pages:
            if page in self.held:
                self.held.move_to_end(page)
        missing.sort(key=lambda page: -page[1])  # coarse ones first: they stand in for what is not there yet
        self._make(missing[:A_FRAME])
        return len(pages) - len(missing), len(missing), min(len(missing), A_FRAME)

    def parent(self, page: tuple[int, int, int, int]) -> tuple[int, int, int, int] | None:
        """Return the page of the next coarser level that lies under a page's middle; None for the coarsest."""
        number, level, x, y = page
        if level + 1 == LEVELS or self.levels[number, level + 1, 2] == 0:
            return None
        across, down = SHAPE.counts(*map(int, self.levels[number, level + 1, 2:]))
        return number, level + 1, min(x >> 1, across - 1), min(y >> 1, down - 1)

    def _make(self, pages: list[tuple[int, int, int, int]]) -> None:
        if not pages:
            return
        wanted = [Page(self.sources[number], level, x, y) for number, level, x, y in pages]
        plan = page_plan(self.textures, wanted, SHAPE, ALIGNMENTS["glsl"])
        scratch = self.context.buffer(reserve=plan.scratch_bytes)
        for binding, buffer in ((0, self.data), (1, self.output), (3, scratch)):
            buffer.bind_to_storage_buffer(binding)
        for dispatch in plan.dispatches:
            jobs = self.context.buffer(dispatch.jobs.astype("<i4").tobytes())
            jobs.bind_to_storage_buffer(2)
            self.shaders[dispatch.shader].run(*dispatch.groups)
            self.context.memory_barrier()
            jobs.release()
        scratch.release()
        for place, page in enumerate(pages):
            slot = len(self.held)
            if slot == SLOTS * SLOTS:
                old, slot = self.held.popitem(last=False)
                self.table[self._entry(old)] = -1
            self.held[page] = slot
            self.table[self._entry(page)] = slot
            at = slot % SLOTS * SHAPE.side, slot // SLOTS * SHAPE.side
            for storage, own in zip(
                self.atlas, place_page(self.formats, SHAPE, place, ALIGNMENTS["glsl"])[0], strict=True
            ):
                storage.copy(self.output, own.offset, (SHAPE.side, SHAPE.side), own.bytes, at=at)

    def _entry(self, page: tuple[int, int, int, int]) -> int:
        number, level, x, y = page
        first, across, _, _ = self.levels[number, level]
        return int(first + y * across + x)


def load(folder: Path) -> tuple[np.ndarray, list[PageSource]]:
    """Return the buffer of all materials and what pages need to know of each."""
    packed, known = [], []
    for path in sorted(folder.glob("*.igs")):
        quantized = read_igs(path)
        if quantized.component_count > MOST_COMPONENTS or quantized.channel_count > MOST_VALUES:
            print(f"{path.name}: left out, it has more components or channels than the decoder of many materials")
            continue
        packed.append(pack_gaussians(quantized))
        known.append((quantized.width, quantized.height, quantized.wrap, page_routes(quantized.maps, PBR_CACHE)))
    order = [number % len(packed) for number in range(MATERIALS)]
    sources = [PageSource(*known[kind][:3], number, known[kind][3]) for number, kind in enumerate(order)]
    return join_materials([packed[kind] for kind in order]), sources


def main() -> None:
    """Fly, print a line per frame, and write the last frame."""
    words, sources = load(Path(sys.argv[1]))
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 24
    options: dict[str, Any] = {"backend": "egl"}  # a window needs none of this
    context = moderngl.create_context(standalone=True, require=430, **options)
    cache = PageCache(context, words, sources)
    asker: Any = context.program(VERTEX, ASK)
    drawer: Any = context.program(VERTEX, DRAW)
    wishes = context.texture((WIDTH // SMALLER, HEIGHT // SMALLER), 2, dtype="u4")
    asked = context.framebuffer([wishes])
    frame = context.simple_framebuffer((WIDTH, HEIGHT))
    levels = context.buffer(cache.levels.tobytes())
    table = context.buffer(cache.table.tobytes())
    asker["bias"], drawer["bias"] = -float(np.log2(SMALLER)), 0.0
    whole = sum(
        cache.page_bytes * int(np.prod(SHAPE.counts(*size))) for s in sources for size in level_sizes(s.width, s.height)
    )
    print(f"{MATERIALS} materials: {words.nbytes:,} bytes in one buffer; all of their pages would be {whole:,}")
    print(f"cache: {SLOTS * SLOTS} pages of {cache.page_bytes:,} bytes, {SLOTS * SLOTS * cache.page_bytes:,} in all\n")
    print(f"{'frame':>5} {'pages':>6} {'hits':>6} {'misses':>6} {'made':>5} {'held':>5} {'bytes made':>11}")
    total = np.zeros(3, dtype=np.int64)
    for number in range(frames):
        time = number / max(frames - 1, 1)
        eye = np.array([0.25 * np.sin(3.0 * time), -1.1 + 0.35 * time, 0.75 - 0.45 * time])
        camera = camera_matrix(eye, WIDTH / HEIGHT).T.astype("f4").tobytes()
        levels.bind_to_storage_buffer(5)
        table.bind_to_storage_buffer(6)
        asked.use()
        asked.clear()
        asker["camera"].write(camera)
        context.vertex_array(asker, []).render(moderngl.TRIANGLE_STRIP, vertices=4)
        texels = np.unique(np.frombuffer(wishes.read(), np.uint32).reshape(-1, 2), axis=0)
        pages = [
            (int(kind & 0xFFFF), int(kind >> 16 & 0x7FFF), int(at & 0xFFFF), int(at >> 16))
            for kind, at in texels
            if kind
        ]
        # with the page that stands in for each: the smaller picture that asks misses narrow pages
        parents = {parent for page in pages if (parent := cache.parent(page)) is not None}
        roots = {(own, len(level_sizes(source.width, source.height)) - 1, 0, 0) for own, source in enumerate(sources)}
        pages = sorted(set(pages) | parents | roots)
        hits, misses, made = cache.request(pages)
        total += (hits, misses, made)
        table.write(cache.table.tobytes())
        print(
            f"{number:5} {len(pages):6} {hits:6} {misses:6} {made:5} {len(cache.held):5} {made * cache.page_bytes:11,}"
        )
        frame.use()
        frame.clear(0.02, 0.02, 0.025)
        drawer["camera"].write(camera)
        for unit, name in enumerate(("base", "normals", "values")):
            drawer[name] = unit
            cache.atlas[unit].texture.use(unit)
        context.vertex_array(drawer, []).render(moderngl.TRIANGLE_STRIP, vertices=4)
    print(f"\n{total[0]} hits, {total[1]} misses, {total[2]} pages made, {total[2] * cache.page_bytes:,} bytes")
    picture = np.frombuffer(frame.read(), np.uint8).reshape(HEIGHT, WIDTH, 3)[::-1]
    Image.fromarray(picture).save(sys.argv[2])


if __name__ == "__main__":
    main()
