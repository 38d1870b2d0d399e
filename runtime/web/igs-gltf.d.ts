import type { GLTFLoaderPlugin, GLTFParser } from 'three/addons/loaders/GLTFLoader.js';

/** For GLTFLoader.register: textures that are maps of .igs files, docs/gltf-extension.md. */
export class IgsGltfExtension implements GLTFLoaderPlugin {
    readonly name: string;
    constructor(parser: GLTFParser);
    loadTexture(index: number): Promise<import('three').Texture> | null;
    afterRoot(): null;
}
