// A loader of three.js: an .igs file as a MeshStandardMaterial.
//
//     import { IgsLoader } from './igs-loader.js';
//     const material = await new IgsLoader().loadAsync('cobbles.igs');
//
// Textures are decoded on the GPU in a context of the loader's own, read back, and handed over as DataTextures: so any renderer,
// any material and several renderers at once can use them. Dispose of them as of other textures.

import {
    ClampToEdgeWrapping, DataTexture, DataUtils, FileLoader, HalfFloatType, LinearFilter, LinearMipmapLinearFilter, Loader,
    MeshStandardMaterial, NoColorSpace, RepeatWrapping, RGBAFormat, SRGBColorSpace, UnsignedByteType,
} from 'three';
import { IgsDecoder, planOf } from './decode.js';
import { parseIgs } from './igs.js';
import { materialParts } from './material.js';

const CLEAR = 250; // alpha from here on counts as opaque, and below 255 less this as not there
const CUT_OUT_SHARE = 0.98; // of texels that are one or the other: tested, not blended

// What each part of a material sets. three reads occlusion from red, roughness from green and metalness from blue.
const SLOTS = {
    base(material, texture, fills) {
        material.map = texture;
        if (fills.includes('opacity')) setAlpha(material, texture);
    },
    alpha(material, texture) {
        Object.assign(material, { alphaMap: texture, transparent: true });
    },
    normal(material, texture) {
        material.normalMap = texture;
    },
    packed(material, texture, fills) {
        if (fills.includes('occlusion')) material.aoMap = texture;
        if (fills.includes('roughness')) Object.assign(material, { roughnessMap: texture, roughness: 1 });
        if (fills.includes('metalness')) Object.assign(material, { metalnessMap: texture, metalness: 1 });
    },
    light(material, texture) {
        material.emissiveMap = texture;
        material.emissive.set(1, 1, 1);
    },
};

export class IgsLoader extends Loader {
    constructor(manager) {
        super(manager);
        this.flipY = true;
        this.normalConvention = 'opengl';
        this.decoder = null;
    }

    /** Whether the first row of textures is the bottom one, as three's geometries have it; false for glTF's coordinates. */
    setFlipY(flipY) {
        this.flipY = flipY;
        return this;
    }

    /** 'opengl' (green points up) or 'directx': files hold normals as their source had them, and do not say which. */
    setNormalConvention(convention) {
        this.normalConvention = convention;
        return this;
    }

    load(url, onLoad, onProgress, onError) {
        const loader = new FileLoader(this.manager);
        loader.setPath(this.path).setResponseType('arraybuffer');
        loader.setRequestHeader(this.requestHeader).setWithCredentials(this.withCredentials);
        const fail = (error) => {
            if (onError) onError(error);
            else console.error(error);
            this.manager.itemError(url);
        };
        loader.load(url, (data) => this.parse(data, onLoad, fail, String(url).split('/').pop()), onProgress, fail);
    }

    parse(data, onLoad, onError, name = '') {
        this.parseAsync(data, name).then(onLoad, onError ?? console.error);
    }

    /** A MeshStandardMaterial of a file's bytes; what else is known of the file is in its userData.igs. */
    async parseAsync(data, name = '') {
        const file = await parseIgs(data, { name });
        const parts = materialParts(file);
        const textures = await this.decode(file, parts.map((part) => part.plan));
        const material = new MeshStandardMaterial({ name: name.replace(/\.igs$/i, '') });
        parts.forEach((part, i) => SLOTS[part.name](material, textures[i], part.fills));
        if (this.normalConvention === 'directx') material.normalScale.y = -1;
        material.userData.igs = {
            width: file.width, height: file.height, maps: file.maps, fileBytes: file.fileBytes, gpuBytes: file.gpuBytes,
        };
        return material;
    }

    /** Every map as a texture of its own, by the map's name: for materials that want more than MeshStandardMaterial takes. */
    async parseTextures(data, name = '') {
        const file = await parseIgs(data, { name });
        const textures = await this.decode(file, file.maps.map(planOf));
        return new Map(file.maps.map((map, i) => [map.name, textures[i]]));
    }

    async decode(file, plans) {
        if (this.decoder?.gl.isContextLost()) this.decoder = null;
        this.decoder ??= new IgsDecoder();
        const made = await this.decoder.decode(file, { plans, flipY: this.flipY, mipmaps: false });
        return made.map((each) => {
            const data = this.decoder.read(each);
            each.dispose();
            return asTexture(file, each, data);
        });
    }

    /** Gives the loader's graphics context back; it makes another when it is used again. */
    dispose() {
        this.decoder?.dispose();
        this.decoder = null;
    }
}

function asTexture(file, made, data) {
    const texels = made.isFloat ? Uint16Array.from(data, (value) => DataUtils.toHalfFloat(value)) : data;
    const texture = new DataTexture(texels, file.width, file.height, RGBAFormat, made.isFloat ? HalfFloatType : UnsignedByteType);
    texture.colorSpace = made.plan.srgb && !made.isFloat ? SRGBColorSpace : NoColorSpace;
    texture.wrapS = file.wrap.x ? RepeatWrapping : ClampToEdgeWrapping;
    texture.wrapT = file.wrap.y ? RepeatWrapping : ClampToEdgeWrapping;
    texture.magFilter = LinearFilter;
    texture.minFilter = LinearMipmapLinearFilter;
    texture.generateMipmaps = true;
    texture.anisotropy = 4;
    texture.name = made.plan.map?.name ?? made.plan.name;
    texture.needsUpdate = true;
    return texture;
}

function setAlpha(material, texture) {
    const { data } = texture.image;
    if (!(data instanceof Uint8Array)) return;
    let [clear, between] = [0, 0];
    for (let at = 3; at < data.length; at += 4) {
        if (data[at] <= 255 - CLEAR) clear += 1;
        else if (data[at] < CLEAR) between += 1;
    }
    const texels = data.length / 4;
    if (clear + between === 0) return;
    if (between <= (1 - CUT_OUT_SHARE) * texels) material.alphaTest = 0.5;
    else material.transparent = true;
}

