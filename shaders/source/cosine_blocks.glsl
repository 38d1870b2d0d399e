// A layer of blocks of cosines: docs/gpu-buffer.md, "Residual", defines the nibbles.

// Where the blocks lie, and what their codes mean.
struct IgsCosineBlocks {
    uint basis; // of the buffer, in numbers of 16 bits
    uint order; // word of the buffer, as the following
    uint begins;
    uint lists;
    uint across;     // blocks
    uint components; // of one picture: rows of the basis
    uint log2;       // of a block's side
    float unit;      // of a coefficient in a channel
    vec3 offsets;    // beyond codes of 1, 2 and more
};

// The cosine of some turns. On a quarter turn it is an odd polynomial, within 8e-7; built-in ones may be off by 5e-4.
float igs_cosine(float turns)
{
    float x = 0.25 - abs(turns - floor(turns + 0.5));
    float square = x * x;
    return x * (6.2831640 + square * (-41.337142 + square * (81.340769 - 70.993432 * square)));
}

// A function of the transform but for a factor that all of them share.
float igs_wave(uint frequency, float turns)
{
    return (frequency > 0u ? 1.0 : 0.70710678) * igs_cosine(float(frequency) * turns);
}

// The mean of a function over the points of a level's texel, over its value in their middle; all of them lie in one block.
float igs_wave_mean(IgsMaterial m, uint frequency, uint log2)
{
    float cosine = igs_cosine(float(frequency) * (0.25 / float(1u << log2)));
    float mean = 1.0;
    for (float points = 12.0 * m.widening + 1.0; points > 2.0; points *= 0.25) {
        mean *= cosine;
        cosine = 2.0 * cosine * cosine - 1.0; // of twice the turns
    }
    return mean;
}

// What a code of some size means, in steps.
float igs_coefficient(IgsCosineBlocks blocks, uint size)
{
    float beyond = size == 1u ? blocks.offsets.x : (size == 2u ? blocks.offsets.y : blocks.offsets.z);
    return float(size) + beyond;
}

// The number of a texel's block; texels count from the first block's corner.
uint igs_block_of(IgsCosineBlocks blocks, uvec2 texel)
{
    uvec2 block = texel >> uvec2(blocks.log2, blocks.log2);
    return block.y * blocks.across + block.x;
}

// The nibble at which a block's list begins, and that of the block before ends: eight blocks have a word, and 16 bits each.
uint igs_list_begin(IgsCosineBlocks blocks, uint block)
{
    uint group = blocks.begins + 5u * (block >> 3u);
    uint behind = igs_word(group + 1u + ((block & 7u) >> 1u)) >> (16u * (block & 1u));
    return igs_word(group) + (behind & 65535u);
}

// What a picture counts in a cell, from a byte of the buffer.
float igs_picture_weight(uint at)
{
    return float(igs_signed_field(igs_word(at >> 2u), 8u * (at & 3u), 8u)) / 64.0;
}

// Adds a layer to the channels: the sum over a block's coefficients, read from front to back.
//   block    number of the block
//   turns    of the slowest function that is not constant, from the block's corner to the point
//   weights  byte of the buffer at which those of the pictures behind the first begin; 0 where there is one picture
IgsTexel igs_add_blocks(IgsMaterial m, IgsTexel texel, IgsCosineBlocks blocks, uint block, vec2 turns, uint weights)
{
    uint end = igs_list_begin(blocks, block + 1u);
    uint row = blocks.basis; // where the component's codes lie, counted in 16 bits
    uint last_row = row + blocks.components * uint(m.channels);
    float unit = blocks.unit;
    uint place = 0u;
    uint size = 0u;
    float wave = 0.0;
    float sum = 0.0; // of the component
    uint first = igs_list_begin(blocks, block);
    uint word = igs_word(blocks.lists + (first >> 3u)) >> (4u * (first & 7u)); // what is left of it
    for (uint n = first; n <= end; ++n) {
        uint nibble = n == end ? IGS_NIBBLE_NEXT : word & 15u;
        word = (n & 7u) == 7u ? igs_word(blocks.lists + ((n + 1u) >> 3u)) : word >> 4u;
        if (nibble < IGS_NIBBLE_SKIP) {
            place += nibble < IGS_NIBBLE_TWO ? nibble >> 1u : 0u;
            size = nibble < IGS_NIBBLE_TWO ? 1u : 2u;
            uint frequencies = igs_word(blocks.order + (place >> 2u)) >> (8u * (place & 3u));
            wave = igs_wave(frequencies & 15u, turns.y) * igs_wave((frequencies >> 4u) & 15u, turns.x);
            if (m.widening > 0.0) {
                wave *= igs_wave_mean(m, frequencies & 15u, blocks.log2);
                wave *= igs_wave_mean(m, (frequencies >> 4u) & 15u, blocks.log2);
            }
            wave = (nibble & 1u) > 0u ? -wave : wave;
            sum += igs_coefficient(blocks, size) * wave;
            ++place;
        } else if (nibble == IGS_NIBBLE_SKIP) {
            place += IGS_NIBBLE_RUNS;
        } else if (nibble == IGS_NIBBLE_NEXT) {
            sum *= unit;
            for (int c = 0; c < IGS_VALUES; ++c) {
                if (c < m.channels) {
                    uint code = row + uint(c);
                    uint pair = igs_word(code >> 1u);
                    texel.channel[c] += sum * float(igs_signed_field(pair, 16u * (code & 1u), 16u));
                }
            }
            row += uint(m.channels);
            if (weights > 0u && row == last_row) { // the next picture
                row = blocks.basis;
                unit = blocks.unit * igs_picture_weight(weights);
                weights += 1u;
            }
            place = 0u;
            sum = 0.0;
        } else {
            uint before = size;
            size += 1u;
            if (nibble == IGS_NIBBLE_FAR) {
                ++n;
                size = 16u * before - 14u + (word & 15u);
                word = (n & 7u) == 7u ? igs_word(blocks.lists + ((n + 1u) >> 3u)) : word >> 4u;
            }
            sum += (igs_coefficient(blocks, size) - igs_coefficient(blocks, before)) * wave;
        }
    }
    return texel;
}

// The channels held to 0..1.
IgsTexel igs_in_range(IgsTexel texel)
{
    for (int c = 0; c < IGS_VALUES; ++c) {
        texel.channel[c] = clamp(texel.channel[c], 0.0, 1.0);
    }
    return texel;
}
