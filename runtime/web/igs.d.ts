export type Semantic =
    | 'data' | 'base_colour' | 'normal' | 'roughness' | 'gloss' | 'metallic' | 'occlusion' | 'height' | 'opacity'
    | 'emissive' | 'specular' | 'image' | 'mask' | 'subsurface' | 'transmission' | 'clearcoat' | 'sheen' | 'anisotropy'
    | 'cavity';

/** All semantics, by their number in a file. */
export const SEMANTICS: readonly Semantic[];

export type IgsChannel =
    /** `index`: of the coded channels */
    | { semantic: Semantic; kind: 'coded'; index: number }
    /** `constant`: the sample's value, 0 to 1 for integers */
    | { semantic: Semantic; kind: 'constant'; constant: number }
    /** z of a unit normal, made of the two channels before it */
    | { semantic: Semantic; kind: 'unit_z' };

/** One image of the material. Names come from the file: show them as text, never as HTML, never as a path. */
export interface IgsMap {
    name: string;
    suffix: string;
    semantic: Semantic;
    /** srgb: colours are sRGB-encoded; log: samples are unbounded, see docs/conventions.md */
    transfer: 'linear' | 'srgb' | 'log';
    sampleFormat: 'uint8' | 'uint16' | 'float16' | 'float32';
    /** least and greatest sample, with the log transfer */
    range: [number, number];
    channels: IgsChannel[];
}

export interface IgsFile {
    name: string;
    version: number;
    /** texels */
    width: number;
    height: number;
    channelCount: number;
    componentCount: number;
    gaussianCount: number;
    /** whether the picture repeats */
    wrap: { x: boolean; y: boolean };
    /** q at which a support ends */
    cutoff: number;
    hasDetail: boolean;
    /** blocks of cosines under the Gaussians */
    hasResidual: boolean;
    /** pictures of a lattice's cell under them */
    hasRepeat: boolean;
    isExact: boolean;
    fileBytes: number;
    /** of `words` */
    gpuBytes: number;
    maps: IgsMap[];
    /** the buffer of docs/gpu-buffer.md */
    words: Uint32Array;
    /**
     * Five numbers per Gaussian: x, y, long and short half axis at one deviation in texels, angle in radians; empty where
     * isExact. Its support is √(2 · cutoff) times as large.
     */
    ellipses: Float32Array;
    mapsOf(semantic: Semantic): IgsMap[];
}

/** `code` is a name of IGS_ERRORS in igs.h, or NETWORK, NO_MEMORY, RUNTIME, NO_WEBGL2, SHADER, TOO_LARGE, CONTEXT_LOST. */
export class IgsError extends Error {
    readonly code: string;
    constructor(code: string, message: string, from?: string);
}

/** Fetches and compiles igs.wasm once; the first file does so otherwise. */
export function loadRuntime(source?: URL | string | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module>;

export interface IgsOptions {
    /** of the file, in messages */
    name?: string;
    /** whether the words have coarse levels, for shaders that decode by themselves: takes three to ten times as long */
    levels?: boolean;
}

/** Fetches a file and reads it. Rejects with IgsError. */
export function loadIgs(url: string | URL, options?: IgsOptions & { fetch?: RequestInit }): Promise<IgsFile>;

/** Reads a file's bytes. Rejects with IgsError. */
export function parseIgs(data: ArrayBuffer | ArrayBufferView, options?: IgsOptions): Promise<IgsFile>;

/** Bytes of memory that the module holds between files. */
export function runtimeBytes(): number;
