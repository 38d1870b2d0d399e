// WGSL: the buffer is a storage buffer. Another place for it: change the two numbers, or put a function igs_word of your
// own in place of this one.
@group(0) @binding(0) var<storage, read> igs_data: array<u32>;

fn igs_word(at: u32) -> u32 {
    return igs_data[at];
}

// The first 12 bits of a number's 24.
fn igs_high(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xFFFFF000u);
}

fn igs_as_float(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}

// The number of the lowest bit that is set.
fn igs_first_bit(bits: u32) -> u32 {
    return firstTrailingBit(bits);
}

fn igs_count_bits(bits: u32) -> u32 {
    return countOneBits(bits);
}

// Bits of a word from one on, and the same with a sign.
fn igs_field(bits: u32, first: u32, count: u32) -> u32 {
    return extractBits(bits, first, count);
}

fn igs_signed_field(bits: u32, first: u32, count: u32) -> i32 {
    return extractBits(bitcast<i32>(bits), first, count);
}

// In a fragment shader, outside of branches: igs_sample_grad with the pixel's own steps.
fn igs_sample(material: u32, uv: vec2f) -> IgsTexel {
    return igs_sample_grad(material, uv, dpdx(uv), dpdy(uv));
}
