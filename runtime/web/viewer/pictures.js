// Source images beside a file: as textures like the decoded ones.

import { IgsError, fetched } from '../igs.js';

/** A texture with mips of an image file, its rows from the top, values as stored. */
export async function pictureTexture(gl, blob, file) {
    let picture;
    try {
        picture = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
    } catch {
        throw new IgsError('PICTURE', 'not an image that this browser reads (PNG, JPEG and WebP are)', blob.name);
    }
    const most = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    if (Math.max(picture.width, picture.height) > most) throw new IgsError('PICTURE', 'larger than this device takes', blob.name);
    if (picture.width * file.height !== picture.height * file.width) {
        const sizes = `${picture.width} × ${picture.height}, not of the proportions of ${file.width} × ${file.height}`;
        throw new IgsError('PICTURE', sizes, blob.name);
    }
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.bindBuffer(gl.PIXEL_UNPACK_BUFFER, null);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    const { width, height } = picture;
    picture.close();
    return { texture, width, height, dispose: () => gl.deleteTexture(texture) };
}

/** Source images by their addresses, as Blobs by their place in the list; "" is none. */
export async function fetchPictures(addresses) {
    const found = new Map();
    for (const [at, address] of addresses.entries()) {
        if (address === '') continue;
        found.set(at, await (await fetched(address)).blob());
    }
    return found;
}
