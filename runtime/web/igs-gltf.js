// A plugin for three's GLTFLoader: textures that are maps of .igs files (the extension IMAGEGS_texture_igs).
//
//     const loader = new GLTFLoader().register((parser) => new IgsGltfExtension(parser));
//     const { scene } = await loader.loadAsync('robot.glb');

import { ClampToEdgeWrapping, FileLoader, LoaderUtils, MirroredRepeatWrapping, RepeatWrapping } from 'three';
import { IgsLoader } from './igs-loader.js';
import { IgsError } from './igs.js';

const NAME = 'IMAGEGS_texture_igs';
const VERSION = 1;
const WRAPS = { 33071: ClampToEdgeWrapping, 33648: MirroredRepeatWrapping, 10497: RepeatWrapping };

export class IgsGltfExtension {
    constructor(parser) {
        this.name = NAME;
        this.parser = parser;
        this.files = new Map(); // promises of each file's textures
        this.loader = null;
    }

    loadTexture(index) {
        const { json } = this.parser;
        const stated = json.textures[index];
        const place = stated.extensions?.[NAME];
        return place === undefined ? null : this.textureOf(index, stated, place, json.samplers?.[stated.sampler] ?? {});
    }

    async textureOf(index, stated, place, sampler) {
        const { version, files } = this.parser.json.extensions?.[NAME] ?? {};
        if (version !== VERSION) throw new IgsError('GLTF', `${NAME} of version ${version}; this reads version ${VERSION}`);
        const uri = files?.[place.file]?.uri;
        if (typeof uri !== 'string') throw new IgsError('GLTF', `texture ${index} names a file that is not listed`);
        if (!this.files.has(uri)) this.files.set(uri, this.load(uri));
        const maps = await this.files.get(uri);
        if (!maps.has(place.map)) throw new IgsError('GLTF', `no map ${place.map}, which texture ${index} names`, uri);
        const texture = maps.get(place.map).clone(); // shares the texels
        texture.wrapS = WRAPS[sampler.wrapS] ?? RepeatWrapping;
        texture.wrapT = WRAPS[sampler.wrapT] ?? RepeatWrapping;
        texture.name = stated.name ?? place.map;
        texture.needsUpdate = true;
        this.parser.associations.set(texture, { textures: index });
        return texture;
    }

    async load(uri) {
        const { options } = this.parser;
        const files = new FileLoader(options.manager).setResponseType('arraybuffer');
        files.setRequestHeader(options.requestHeader ?? {}).setWithCredentials(options.crossOrigin === 'use-credentials');
        const data = await files.loadAsync(LoaderUtils.resolveURL(uri, options.path));
        this.loader ??= new IgsLoader(options.manager).setFlipY(false);
        return this.loader.parseTextures(data, uri);
    }

    /** Called by GLTFLoader when all is loaded. */
    afterRoot() {
        this.loader?.dispose();
        this.loader = null;
        return null; // nothing to wait for
    }
}
