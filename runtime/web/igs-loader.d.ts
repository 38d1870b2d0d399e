import type { DataTexture, Loader, LoadingManager, MeshStandardMaterial } from 'three';
import type { IgsMap } from './igs.js';

/** What `material.userData.igs` holds. */
export interface IgsMaterialInfo {
    width: number;
    height: number;
    maps: IgsMap[];
    fileBytes: number;
    gpuBytes: number;
}

export class IgsLoader extends Loader<MeshStandardMaterial> {
    flipY: boolean;
    normalConvention: 'opengl' | 'directx';
    constructor(manager?: LoadingManager);
    setFlipY(flipY: boolean): this;
    setNormalConvention(convention: 'opengl' | 'directx'): this;
    load(
        url: string,
        onLoad: (material: MeshStandardMaterial) => void,
        onProgress?: (event: ProgressEvent) => void,
        onError?: (error: unknown) => void,
    ): void;
    parse(
        data: ArrayBuffer,
        onLoad: (material: MeshStandardMaterial) => void,
        onError?: (error: unknown) => void,
        name?: string,
    ): void;
    parseAsync(data: ArrayBuffer, name?: string): Promise<MeshStandardMaterial>;
    /** Every map by its name. */
    parseTextures(data: ArrayBuffer, name?: string): Promise<Map<string, DataTexture>>;
    dispose(): void;
}
