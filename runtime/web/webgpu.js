// For pages that draw with WebGPU and evaluate texels in their own shaders, without textures.
//
//     const words = uploadWords(device, file);             // a GPUBuffer: group 0, binding 0
//     device.createShaderModule({ code: decoderWgsl(file) + mine });
//
// The code has igs_decode(0u, uv) and, in fragment shaders, igs_sample(0u, uv): docs/gpu-buffer.md.

import { DECODER_WGSL } from './built/decoder-wgsl.js';
import { IgsError } from './igs.js';

/** The decoder in WGSL, its arrays as long as this file's, up to a multiple of 4. */
export function decoderWgsl(file) {
    const normals = (file.words[file.words[3] + 2] >> 16) & 255;
    const counts = { COMPONENTS: file.componentCount, VALUES: file.channelCount + normals };
    return Object.entries(counts).reduce(
        (text, [name, count]) => text.replace(new RegExp(`const IGS_${name} = .*`), `const IGS_${name} = ${4 * Math.ceil(count / 4)};`),
        DECODER_WGSL,
    );
}

/** The file's words in a storage buffer. Destroy it when the material is no longer drawn. */
export function uploadWords(device, file) {
    const { maxStorageBufferBindingSize: most } = device.limits;
    if (file.gpuBytes > most) throw new IgsError('TOO_LARGE', `${file.gpuBytes} bytes; this device's storage buffers end at ${most}`, file.name);
    const buffer = device.createBuffer({ size: file.gpuBytes, usage: GPUBufferUsage.STORAGE, mappedAtCreation: true });
    new Uint32Array(buffer.getMappedRange()).set(file.words);
    buffer.unmap();
    return buffer;
}
