// Textures made at load time: a workgroup of 64 threads makes a tile of 16 x 16 texels, halves it up to twice, writes the
// blocks of all of that, and hands the last level on to the shader that makes the coarser ones. What a workgroup does is in
// a job of IGS_JOB_WORDS numbers, docs/textures-at-load.md; level 0 is held as samples, others as what is averaged.

// A texel's values: of every texture those that it is made of.
struct IgsPlanes {
    float plane[IGS_PLANES];
};

// The texels of a block row by row, four bytes each: as floats they would fill the registers. Two bytes where a texture
// has values of 16 bits.
struct IgsBlock {
    uint texel[16];
};

// What a texel of a level is made of along an axis: texels of the scratch buffer from the first on.
struct IgsTaps {
    int first;
    int count;
    vec3 weights;
};

// 16 x 16 texels, 8 x 8, 4 x 4; then the next two values, 16 bits each: as floats they would leave room for half as many
// workgroups at a time.
IGS_SHARED uint igs_held[336 * IGS_HELD_WORDS];

int igs_job(uint job, uint word)
{
    return igs_job_word(job * uint(IGS_JOB_WORDS) + word);
}

IGS_SHARED uint igs_current_job; // what igs_store belongs to

//@generated textures

ivec2 igs_job_pair(uint job, uint word)
{
    return ivec2(igs_job(job, word), igs_job(job, word + 1u));
}

// Where a texel of the tile halved so often is held.
uint igs_held_at(uint halvings, uvec2 at)
{
    uint first = halvings > 1u ? 320u : 256u * halvings;
    return first + (at.y << (4u - halvings)) + at.x;
}

IgsPlanes igs_held_planes(uint at)
{
    IgsPlanes planes;
    for (int k = 0; k < IGS_HELD_WORDS; ++k) {
        uint word = igs_held[at + uint(336 * k)];
        planes.plane[2 * k] = float(word & 65535u) / 65535.0;
        planes.plane[min(2 * k + 1, IGS_PLANES - 1)] =
            float(2 * k + 1 < IGS_PLANES ? word >> 16u : word & 65535u) / 65535.0;
    }
    return planes;
}

void igs_hold(uint at, IgsPlanes planes)
{
    for (int k = 0; k < IGS_HELD_WORDS; ++k) {
        uint low = uint(65535.0 * clamp(planes.plane[2 * k], 0.0, 1.0) + 0.5);
        uint high = uint(65535.0 * clamp(planes.plane[min(2 * k + 1, IGS_PLANES - 1)], 0.0, 1.0) + 0.5);
        igs_held[at + uint(336 * k)] = low | (high << 16u);
    }
}

IgsPlanes igs_no_planes()
{
    IgsPlanes planes;
    for (int k = 0; k < IGS_PLANES; ++k) {
        planes.plane[k] = 0.0;
    }
    return planes;
}

IgsPlanes igs_plus_planes(IgsPlanes sum, IgsPlanes planes, float weight)
{
    for (int k = 0; k < IGS_PLANES; ++k) {
        sum.plane[k] += weight * planes.plane[k];
    }
    return sum;
}

// What igs_decode_group does with a texel; its place is within the tile.
void igs_store(ivec2 at, IgsTexel texel)
{
    igs_hold(igs_held_at(0u, uvec2(at)), igs_planes(texel));
}

// What texel x of the tile's picture takes from the scratch buffer along an axis: the mean of two texels of a level of
// even size, of three by area where the size is odd, or the texel itself where nothing is halved.
IgsTaps igs_taps(uint job, uint axis, int x)
{
    int size = igs_job(job, 20u + axis);
    int finer = igs_job(job, 22u + axis);
    int at = x + igs_job(job, 18u + axis);
    int turns = 0;
    if (igs_job(job, 28u + axis) != 0) {
        turns = at >= 0 ? at / size : 0 - (size - 1 - at) / size;
        at -= turns * size;
    }
    at = clamp(at, 0, size - 1);
    bool halves = igs_job(job, 17u) != 0 && finer > 1;
    IgsTaps taps;
    taps.first = turns * igs_job(job, 24u + axis) + (halves ? 2 * at : at) - igs_job(job, 26u + axis);
    taps.count = halves ? 2 + (finer & 1) : 1;
    float whole = 1.0 / float(finer);
    float odd = float(finer & 1);
    taps.weights = vec3(1.0, 0.0, 0.0);
    if (halves) {
        vec3 shares = vec3(float(size) - odd * float(at), float(size), odd * float(at + 1));
        taps.weights = whole * shares;
    }
    return taps;
}

// The tile from the scratch buffer.
void igs_fetch_tile(uint job, uvec2 group, uint thread)
{
    ivec2 size = igs_job_pair(job, 4u);
    int from = igs_job(job, 14u);
    int pitch = igs_job(job, 15u);
    int plane_words = igs_job(job, 16u);
    bool samples = igs_job(job, 17u) != 0 && igs_job(job, 1u) == 1; // of level 0, to be averaged
    for (uint k = thread; k < 256u; k += 64u) {
        uvec2 at = uvec2(k & 15u, k >> 4u);
        ivec2 place = ivec2(at + (group << uvec2(4u, 4u)));
        if (place.x < size.x && place.y < size.y) {
            IgsTaps across = igs_taps(job, 0u, place.x);
            IgsTaps down = igs_taps(job, 1u, place.y);
            IgsPlanes sum = igs_no_planes();
            for (int y = 0; y < down.count; ++y) {
                for (int x = 0; x < across.count; ++x) {
                    int word = from + (down.first + y) * pitch + across.first + x;
                    IgsPlanes planes;
                    for (int p = 0; p < IGS_PLANES; ++p) {
                        planes.plane[p] = igs_scratch_read(uint(word + p * plane_words));
                    }
                    if (samples) {
                        planes = igs_means(planes);
                    }
                    sum = igs_plus_planes(sum, planes, across.weights[x] * down.weights[y]);
                }
            }
            igs_hold(igs_held_at(0u, at), sum);
        }
    }
}

// Halves the tile once more.
void igs_halve_tile(uint job, uint thread, uint halvings)
{
    uint side = 16u >> halvings;
    bool samples = igs_job(job, 1u) == 0 && halvings == 1u;
    if (thread < side * side) {
        uvec2 at = uvec2(thread & (side - 1u), thread >> (4u - halvings));
        IgsPlanes sum = igs_no_planes();
        for (uint k = 0u; k < 4u; ++k) {
            uvec2 finer = uvec2(2u * at.x + (k & 1u), 2u * at.y + (k >> 1u));
            IgsPlanes planes = igs_held_planes(igs_held_at(halvings - 1u, finer));
            if (samples) {
                planes = igs_means(planes);
            }
            sum = igs_plus_planes(sum, planes, 0.25);
        }
        igs_hold(igs_held_at(halvings, at), sum);
    }
}

// The tile, halved as often as the job says, to the scratch buffer.
void igs_keep_tile(uint job, uvec2 group, uint thread)
{
    uint halvings = uint(igs_job(job, 10u)) - 1u;
    ivec2 size = igs_job_pair(job, 4u);
    int to = igs_job(job, 11u);
    int pitch = igs_job(job, 12u);
    int plane_words = igs_job(job, 13u);
    uint side = 16u >> halvings;
    for (uint k = thread; k < side * side; k += 64u) {
        uvec2 at = uvec2(k & (side - 1u), k >> (4u - halvings));
        ivec2 place = ivec2(at + group * uvec2(side, side));
        if (place.x < (size.x >> int(halvings)) && place.y < (size.y >> int(halvings))) {
            IgsPlanes planes = igs_held_planes(igs_held_at(halvings, at));
            int word = to + place.y * pitch + place.x;
            for (int p = 0; p < IGS_PLANES; ++p) {
                igs_scratch_write(uint(word + p * plane_words), planes.plane[p]);
            }
        }
    }
}

// Means to samples, for blocks.
void igs_sample_tile(uint job, uint thread)
{
    bool level_0 = igs_job(job, 1u) == 0;
    uint end = igs_job(job, 2u) > 1 ? 336u : 256u;
    for (uint at = thread; at < end; at += 64u) {
        igs_hold(at, igs_samples(igs_held_planes(at), level_0 && at < 256u));
    }
}

// 16 bits of a value that is held.
uint igs_held_code(int plane, uint at)
{
    return (igs_held[at + uint(336 * (plane >> 1))] >> (16u * uint(plane & 1))) & 65535u;
}

// A texel of a texture from what is held at a place.
uint igs_packed_texel(ivec4 planes, uint at, bool wide)
{
    uint texel = 0xFF000000u;
    for (int k = 0; k < 4; ++k) {
        if (planes[k] >= 0) {
            uint code = igs_held_code(planes[k], at);
            uint shift = 8u * uint(k);
            texel = wide ? code : (texel & ~(255u << shift)) | (((code * 255u + 32767u) / 65535u) << shift);
        }
    }
    return texel;
}

// The blocks of the tile's levels: each thread makes whole ones.
void igs_write_tile(uint job, uvec2 group, uint thread)
{
    ivec2 size = igs_job_pair(job, 4u);
    uint written = uint(igs_job(job, 3u));
    for (uint task = thread; task < uint(21 * IGS_TEXTURES); task += 64u) {
        uint number = igs_texture_in_turn(task / 21u); // by format, so that threads side by side do the same
        uint block = task - 21u * (task / 21u);
        uint halvings = block < 16u ? 0u : (block < 20u ? 1u : 2u);
        block -= halvings > 1u ? 20u : 16u * halvings;
        uint side = 4u >> halvings; // blocks of the tile across
        uvec2 within = uvec2(block & (side - 1u), block >> (2u - halvings));
        uvec2 at = within + group * uvec2(side, side);
        ivec2 last = ivec2((size.x >> int(halvings)) - 1, (size.y >> int(halvings)) - 1) - 4 * ivec2(at);
        if ((written & (1u << halvings)) != 0u && last.x >= 0 && last.y >= 0) {
            ivec4 planes = igs_texture_planes(number);
            IgsBlock texels;
            for (int k = 0; k < 16; ++k) {
                ivec2 texel = ivec2(min(k & 3, last.x), min(k >> 2, last.y));
                uint held = igs_held_at(halvings, 4u * within + uvec2(texel));
                texels.texel[k] = igs_packed_texel(planes, held, igs_is_wide(number));
            }
            uint word = uint(IGS_JOB_PLACES) + 2u * (3u * number + halvings);
            igs_write_texels(number, texels, at, last, igs_job_pair(job, word));
        }
    }
}

// All that is done with a tile once it is there.
void igs_finish_tile(uint job, uvec2 group, uint thread)
{
    uint levels = uint(igs_job(job, 2u));
    igs_barrier();
    for (uint halvings = 1u; halvings < levels; ++halvings) {
        igs_halve_tile(job, thread, halvings);
        igs_barrier();
    }
    if (igs_job(job, 10u) != 0) {
        igs_keep_tile(job, group, thread);
    }
    if (igs_job(job, 3u) != 0) {
        igs_barrier();
        igs_sample_tile(job, thread);
        igs_barrier();
        igs_write_tile(job, group, thread);
    }
}

// A group of the first shader: tiles decoded from the Gaussians. Groups count from the job's first one; beyond the last
// one of the picture they go on with its first.
void igs_textures_first(uvec3 group, uint thread)
{
    ivec2 count = igs_job_pair(group.z, 8u);
    if (group.x < uint(count.x) && group.y < uint(count.y)) { // the same for the whole group
        ivec2 first = igs_job_pair(group.z, 6u);
        ivec2 groups = igs_job_pair(group.z, 30u); // of the picture
        ivec2 at = first + ivec2(group.xy);
        at = ivec2(at.x % groups.x, at.y % groups.y);
        if (thread == 0u) {
            igs_current_job = group.z;
        }
        igs_barrier();
        igs_decode_tile(uint(igs_job(group.z, 0u)), uvec2(at), thread, ivec2(-16 * at.x, -16 * at.y));
        igs_finish_tile(group.z, group.xy, thread);
    }
}

// A group of the second shader: tiles from the scratch buffer.
void igs_textures_next(uvec3 group, uint thread)
{
    ivec2 count = igs_job_pair(group.z, 8u);
    if (group.x < uint(count.x) && group.y < uint(count.y)) {
        igs_fetch_tile(group.z, group.xy, thread);
        igs_finish_tile(group.z, group.xy, thread);
    }
}
