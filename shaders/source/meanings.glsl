// Values by what they mean, of any material: its header says which channels have which meaning, docs/gpu-buffer.md,
// "Meanings". They take what igs_decode and igs_sample return for the same material.

// The word at which a material's table of meanings begins.
uint igs_meanings_at(uint material)
{
    uint at = igs_word(3u + material);
    return at + igs_word(at + 23u);
}

// The word at which a meaning's entry lies; 0 without one.
uint igs_meaning_entry(uint table, uint meaning)
{
    uint found = 0u;
    uint count = igs_byte(table, 0u);
    for (uint i = 0u; i < count; ++i) {
        uint entry = table + 1u + 2u * i;
        found = igs_byte(entry, 0u) == meaning ? entry : found;
    }
    return found;
}

// Whether a material has a meaning, one of IGS_MEANING_...
bool igs_has(uint material, uint meaning)
{
    return igs_meaning_entry(igs_meanings_at(material), meaning) > 0u;
}

// Which way green of a material's normals points, as far as the map's name says: 1 up (OpenGL), -1 down (DirectX), else 0.
float igs_normal_y(uint material)
{
    uint green = igs_byte(igs_meanings_at(material), 1u);
    return green == 1u ? 1.0 : (green == 2u ? -1.0 : 0.0);
}

// Up to four samples of a meaning as in the source's file; `otherwise` stands for those that there are not.
vec4 igs_samples(uint material, IgsTexel texel, uint meaning, vec4 otherwise)
{
    uint table = igs_meanings_at(material);
    uint entry = igs_meaning_entry(table, meaning);
    vec4 samples = otherwise;
    if (entry > 0u) {
        uint head = igs_word(entry);
        uint sources = igs_word(entry + 1u);
        uint constants = table + 1u + 2u * igs_byte(table, 0u);
        uint logs = constants + (head >> 24u);
        for (int place = 0; place < 4; ++place) {
            if (uint(place) < igs_field(head, 8u, 8u)) {
                uint source = igs_field(sources, 8u * uint(place), 8u);
                float value = 0.0;
                for (int c = 0; c < IGS_VALUES; ++c) { // by constant numbers: others would move the texel to memory
                    value = uint(c) == source ? texel.channel[c] : value;
                }
                if (source > 127u) {
                    value = igs_number(constants + source - 128u);
                } else if ((head & 0x20000u) != 0u) {
                    value = igs_unlog(value, igs_number(logs), igs_number(logs + 1u));
                }
                samples[place] = value;
            }
        }
    }
    return samples;
}

// A colour as stored; a grey one is three times the same.
vec3 igs_colour(uint material, IgsTexel texel, uint meaning, vec3 otherwise)
{
    vec4 samples = igs_samples(material, texel, meaning, vec4(otherwise, 0.0));
    uint entry = igs_meaning_entry(igs_meanings_at(material), meaning);
    bool grey = entry > 0u && igs_byte(entry, 1u) == 1u;
    return vec3(samples.x, grey ? samples.x : samples.y, grey ? samples.x : samples.z);
}

// The same in linear light.
vec3 igs_colour_linear(uint material, IgsTexel texel, uint meaning, vec3 otherwise)
{
    vec3 stored = igs_colour(material, texel, meaning, otherwise);
    uint entry = igs_meaning_entry(igs_meanings_at(material), meaning);
    bool encoded = entry > 0u && (igs_word(entry) & 0x10000u) != 0u;
    vec3 decoded = vec3(igs_srgb_to_linear(stored.x), igs_srgb_to_linear(stored.y), igs_srgb_to_linear(stored.z));
    return vec3(encoded ? decoded.x : stored.x, encoded ? decoded.y : stored.y, encoded ? decoded.z : stored.z);
}

// What a normal's z is: 0 coded, 1 a texel's value that is made of x and y, 2 made of them here.
uint igs_normal_kind(uint material)
{
    uint entry = igs_meaning_entry(igs_meanings_at(material), IGS_MEANING_NORMAL);
    uint source = entry > 0u ? igs_byte(entry + 1u, 2u) : 0u;
    uint channels = igs_byte(igs_word(3u + material) + 2u, 0u);
    return source == 127u ? 2u : (source >= channels && source < 128u ? 1u : 0u);
}

// A unit vector in tangent space; green points up or down as in the source.
vec3 igs_normal(uint material, IgsTexel texel)
{
    vec4 samples = igs_samples(material, texel, IGS_MEANING_NORMAL, vec4(0.5, 0.5, 1.0, 0.0));
    vec3 normal = igs_unit(vec3(samples.x, samples.y, samples.z));
    if (igs_normal_kind(material) > 0u) {
        normal = igs_unit_from_xy(vec2(samples.x, samples.y));
    }
    return normal;
}

// Length of the mean of the normals under the footprint: 1 where they agree, less where they differ.
float igs_normal_length(uint material, IgsTexel texel)
{
    vec4 samples = igs_samples(material, texel, IGS_MEANING_NORMAL, vec4(0.5, 0.5, 1.0, 0.0));
    float size = length(2.0 * vec3(samples.x, samples.y, samples.z) - vec3(1.0, 1.0, 1.0));
    return igs_normal_kind(material) == 2u ? 1.0 : size;
}

// 0..1, linear; of a material with gloss and no roughness one minus the gloss, 0.6 without both.
float igs_roughness(uint material, IgsTexel texel)
{
    float otherwise = 1.0 - igs_samples(material, texel, IGS_MEANING_GLOSS, vec4(0.4, 0.0, 0.0, 0.0)).x;
    return igs_samples(material, texel, IGS_MEANING_ROUGHNESS, vec4(otherwise, 0.0, 0.0, 0.0)).x;
}

// Roughness with the spread of the normals under the footprint added: the length a of their mean tells their variance
// on each axis, (1 - a) / a (Toksvig, Mipmapping Normal Maps, 2005), and a GGX lobe of alpha = roughness^2 widens to
// alpha^2 + 2 (1 - a) / a (as in M. Olano and D. Baker, LEAN Mapping, 2010).
float igs_roughness_filtered(uint material, IgsTexel texel)
{
    float size = clamp(igs_normal_length(material, texel), 0.001, 1.0);
    float alpha = igs_roughness(material, texel) * igs_roughness(material, texel);
    return sqrt(sqrt(min(1.0, alpha * alpha + 2.0 * (1.0 - size) / size)));
}
