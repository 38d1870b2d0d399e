import type { IgsFile } from './igs.js';

/** The decoder in WGSL, for this file's counts: igs_decode(0u, uv), in fragment shaders igs_sample(0u, uv); group 0, binding 0. */
export function decoderWgsl(file: IgsFile): string;

/** The file's words in a storage buffer. */
export function uploadWords(device: GPUDevice, file: IgsFile): GPUBuffer;
