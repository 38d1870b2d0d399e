import type { IgsChannel, IgsFile, IgsMap } from './igs.js';

/** What one of a texture's four channels holds: value · scale + bias. */
export type IgsPick = (IgsChannel | { constant: number }) & { scale?: number; bias?: number };

/** What a texture holds. */
export interface IgsPlan {
    /** red, green, blue, alpha */
    channels: readonly IgsPick[];
    /** the map's range where its transfer is log: the texture is RGBA16F then */
    log: [number, number] | null;
    /** the texture is SRGB8_ALPHA8 */
    srgb: boolean;
    map?: IgsMap;
    name?: string;
}

export interface IgsTexture {
    texture: WebGLTexture;
    plan: IgsPlan;
    width: number;
    height: number;
    isFloat: boolean;
    isSrgb: boolean;
    dispose(): void;
}

export function planOf(map: IgsMap): IgsPlan;
export function channelOf(map: IgsMap, at: number, scale?: number, bias?: number): IgsPick;

/** The decoder in GLSL ES 3.00: igs_decode(0u, uv) and igs_sample(0u, uv) of the texture that `upload` gives as igs_data. */
export function decoderSource(file: IgsFile, rowLog2: number): string;

/** Decodes files to textures in a context: the caller's, whose state it changes, or its own. */
export class IgsDecoder {
    readonly gl: WebGL2RenderingContext;
    /** GL objects made and not given back */
    readonly live: number;
    constructor(gl?: WebGL2RenderingContext | null);
    decode(file: IgsFile, options?: { plans?: readonly IgsPlan[]; flipY?: boolean; mipmaps?: boolean }): Promise<IgsTexture[]>;
    /** The file's words as an R32UI texture. */
    upload(file: IgsFile): { texture: WebGLTexture; rowLog2: number; dispose(): void };
    /** Level 0, row by row, four to a texel: bytes, or floats where isFloat. */
    read(texture: IgsTexture): Uint8Array | Float32Array;
    dispose(): void;
}
