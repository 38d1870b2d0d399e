// Makes textures of .igs files with WebGL 2: a shader evaluates every texel once, when the material is loaded.
//
//     const decoder = new IgsDecoder(gl);                  // or without: a context of its own
//     const textures = await decoder.decode(file);         // one per map, with mips
//     textures[0].texture                                  // a WebGLTexture
//
// After decode, state of the context is not what it was: framebuffer, program, viewport, textures of unit 0, pixel buffers.

import { DECODER } from './built/decoder.js';
import { IgsError } from './igs.js';

const TARGETS = 4; // textures at once: every WebGL 2 device has so many
const BLOCK = 256; // texels a side per draw, so that no draw holds the device for long
const MOST_ROWS = 2048; // of the texture of words while it is narrow
const LOG_KNEE = 64; // docs/conventions.md, "Transfer functions"

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

// What each target takes of a texel: four picks of values, then scale and bias; x and y of a normal made unit, with its z.
const FRAGMENT = `
uniform ivec4 pick[${TARGETS}];
uniform vec4 scale[${TARGETS}];
uniform vec4 bias[${TARGETS}];
uniform vec4 grow[${TARGETS}]; // of the log transfer: L(lo), L(hi) - L(lo), 1 where it is used
uniform ivec3 unit[${TARGETS}]; // places of x, y, z among the four; -1: none
uniform float flip; // height, or 0
layout(location = 0) out vec4 to_0;
layout(location = 1) out vec4 to_1;
layout(location = 2) out vec4 to_2;
layout(location = 3) out vec4 to_3;

vec4 taken(IgsTexel texel, int target)
{
    vec4 found = vec4(0.0);
    for (int c = 0; c < IGS_VALUES; ++c) {
        found = mix(found, vec4(texel.channel[c]), equal(pick[target], ivec4(c)));
    }
    if (unit[target].z >= 0) {
        vec2 side = 2.0 * vec2(found[unit[target].x], found[unit[target].y]) - 1.0;
        float square = dot(side, side);
        found[unit[target].z] = 0.5 + 0.5 * sqrt(max(0.0, 1.0 - square));
        side = 0.5 + 0.5 * side / sqrt(max(1.0, square));
        found[unit[target].x] = side.x;
        found[unit[target].y] = side.y;
    }
    if (grow[target].z > 0.0) {
        vec4 code = grow[target].x + found * grow[target].y;
        found = sign(code) * (exp2(abs(code)) - 1.0) / ${LOG_KNEE}.0;
    }
    return found * scale[target] + bias[target];
}

void main()
{
    vec2 p = flip > 0.0 ? vec2(gl_FragCoord.x, flip - gl_FragCoord.y) : gl_FragCoord.xy;
    IgsTexel texel = igs_decode_at(0u, p);
    to_0 = taken(texel, 0);
    to_1 = taken(texel, 1);
    to_2 = taken(texel, 2);
    to_3 = taken(texel, 3);
}
`;

/** The plan that shows a map as it was: its first four channels; grey where it has one or two, alpha 1 where it has none. */
export function planOf(map) {
    const count = map.channels.length;
    const order = count === 1 ? [0, 0, 0, -1] : count === 2 ? [0, 0, 0, 1] : count === 3 ? [0, 1, 2, -1] : [0, 1, 2, 3];
    const channels = order.map((at) => (at < 0 ? { constant: 1 } : map.channels[at]));
    return { channels, log: map.transfer === 'log' ? map.range : null, srgb: map.transfer === 'srgb', map };
}

/** Where a channel's value comes from, for a plan: a map's channel, with scale and bias. */
export function channelOf(map, at, scale = 1, bias = 0) {
    return { ...map.channels[at], scale, bias };
}

/**
 * The decoder in GLSL ES 3.00, for shaders that evaluate texels themselves: igs_decode(0u, uv) and igs_sample(0u, uv), of the
 * texture that upload gives as uniform igs_data. Arrays are as long as this file's, up to a multiple of 4, and there is noise only
 * if the file has some: files share programs, which take long to compile.
 */
export function decoderSource(file, rowLog2) {
    const normals = (file.words[file.words[3] + 2] >> 16) & 255;
    const [components, values] = [file.componentCount, file.channelCount + normals].map((count) => 4 * Math.ceil(count / 4));
    const sizes = { COMPONENTS: components, VALUES: values, ROW_LOG2: `${rowLog2}u`, DETAIL: file.hasDetail ? 1 : 0 };
    return `${Object.entries(sizes).map(([name, value]) => `#define IGS_${name} ${value}\n`).join('')}${DECODER}`;
}

export class IgsDecoder {
    /** @param gl a WebGL2RenderingContext, or nothing for one of its own */
    constructor(gl = null) {
        this.gl = gl ?? ownContext();
        this.isOwn = gl === null;
        this.hasFloat = this.gl.getExtension('EXT_color_buffer_float') !== null;
        this.programs = new Map();
        this.live = 0; // GL objects made and not given back
    }

    /**
     * Decodes a file to textures, one for each plan.
     *
     * @param file of parseIgs
     * @param options.plans what each texture holds; one per map where not given
     * @param options.flipY true: the first row of a texture is the bottom one
     * @param options.mipmaps false: level 0 only
     */
    async decode(file, options = {}) {
        const { plans = file.maps.map(planOf), flipY = false, mipmaps = true } = options;
        const { gl } = this;
        const most = gl.getParameter(gl.MAX_TEXTURE_SIZE);
        if (Math.max(file.width, file.height) > most) {
            throw new IgsError('TOO_LARGE', `${file.width} × ${file.height} texels; this device's textures end at ${most}`, file.name);
        }
        const made = [];
        const words = this.upload(file);
        try {
            const program = this.program(file, words.rowLog2);
            for (let first = 0; first < plans.length; first += TARGETS) {
                await this.drawGroup(file, program, words, plans.slice(first, first + TARGETS), flipY, made);
            }
            for (const texture of made) this.finish(texture, file, mipmaps);
        } catch (error) {
            made.forEach((texture) => texture.dispose());
            throw error;
        } finally {
            words.dispose();
        }
        return made;
    }

    /** The bytes (or, with the log transfer, floats) of a texture's level 0, row by row, four to a texel. */
    read(texture) {
        const { gl } = this;
        const frame = this.make('Framebuffer');
        gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0);
        const size = 4 * texture.width * texture.height;
        const data = texture.isFloat ? new Float32Array(size) : new Uint8Array(size);
        gl.readPixels(0, 0, texture.width, texture.height, gl.RGBA, texture.isFloat ? gl.FLOAT : gl.UNSIGNED_BYTE, data);
        gl.bindFramebuffer(gl.FRAMEBUFFER, null);
        this.drop('Framebuffer', frame);
        return data;
    }

    dispose() {
        this.programs.forEach((program) => this.drop('Program', program));
        this.programs.clear();
        if (this.isOwn) this.gl.getExtension('WEBGL_lose_context')?.loseContext();
    }

    make(kind) {
        this.live += 1;
        return this.gl[`create${kind}`]();
    }

    drop(kind, object) {
        this.live -= 1;
        this.gl[`delete${kind}`](object);
    }

    /** The words as a texture of rows of 2^rowLog2: what decoderSource reads. */
    upload(file) {
        const { gl } = this;
        const most = gl.getParameter(gl.MAX_TEXTURE_SIZE);
        let rowLog2 = 8;
        while (Math.ceil(file.words.length / 2 ** rowLog2) > MOST_ROWS && 2 ** (rowLog2 + 1) <= most) rowLog2 += 1;
        const width = 2 ** rowLog2;
        const rows = Math.ceil(file.words.length / width);
        if (rows > most) throw new IgsError('TOO_LARGE', 'it has more data than a texture of this device holds', file.name);
        const padded = new Uint32Array(width * rows);
        padded.set(file.words);
        const texture = this.make('Texture');
        gl.activeTexture(gl.TEXTURE0);
        gl.bindTexture(gl.TEXTURE_2D, texture);
        this.plainUploads();
        gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R32UI, width, rows);
        gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, rows, gl.RED_INTEGER, gl.UNSIGNED_INT, padded);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
        return { texture, rowLog2, dispose: () => this.drop('Texture', texture) };
    }

    plainUploads() {
        const { gl } = this;
        gl.bindBuffer(gl.PIXEL_UNPACK_BUFFER, null);
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
        for (const [name, value] of [['ALIGNMENT', 4], ['ROW_LENGTH', 0], ['SKIP_ROWS', 0], ['SKIP_PIXELS', 0]]) {
            gl.pixelStorei(gl[`UNPACK_${name}`], value);
        }
        gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
        gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    }

    program(file, rowLog2) {
        const source = `#version 300 es\n${decoderSource(file, rowLog2)}\n${FRAGMENT}`;
        if (!this.programs.has(source)) this.programs.set(source, this.link(source));
        return this.programs.get(source);
    }

    link(fragment) {
        const { gl } = this;
        const program = this.make('Program');
        for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment]]) {
            const shader = gl.createShader(kind);
            gl.shaderSource(shader, source);
            gl.compileShader(shader);
            gl.attachShader(program, shader);
            gl.deleteShader(shader); // goes with the program
        }
        gl.linkProgram(program);
        if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
            const logs = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
            this.drop('Program', program);
            throw new IgsError('SHADER', `this device does not take the decoder: ${logs.join(' ').trim().slice(0, 300)}`);
        }
        return program;
    }

    async drawGroup(file, program, words, plans, flipY, made) {
        const { gl } = this;
        const frame = this.make('Framebuffer');
        const own = plans.map((plan) => this.target(file, plan));
        made.push(...own);
        try {
            const start = () => {
                gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
                gl.useProgram(program);
                gl.activeTexture(gl.TEXTURE0);
                gl.bindTexture(gl.TEXTURE_2D, words.texture);
                gl.viewport(0, 0, file.width, file.height);
                for (const name of ['BLEND', 'DEPTH_TEST', 'CULL_FACE', 'STENCIL_TEST', 'DITHER']) gl.disable(gl[name]);
                gl.enable(gl.SCISSOR_TEST);
                gl.colorMask(true, true, true, true);
                gl.bindVertexArray(null);
            };
            start();
            own.forEach((target, i) => {
                gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, gl.TEXTURE_2D, target.texture, 0);
            });
            gl.drawBuffers(own.map((_, i) => gl.COLOR_ATTACHMENT0 + i));
            this.setPlans(program, plans, flipY ? file.height : 0);
            let drawn = 0;
            for (let y = 0; y < file.height; y += BLOCK) {
                for (let x = 0; x < file.width; x += BLOCK) {
                    gl.scissor(x, y, BLOCK, BLOCK);
                    gl.drawArrays(gl.TRIANGLES, 0, 3);
                    drawn += 1;
                    if (drawn % 16 === 0) {
                        await finished(gl); // the page may draw in between
                        start();
                    }
                }
            }
            if (gl.isContextLost()) throw new IgsError('CONTEXT_LOST', 'the graphics device was lost; load it again', file.name);
        } finally {
            gl.disable(gl.SCISSOR_TEST);
            gl.bindFramebuffer(gl.FRAMEBUFFER, null);
            this.drop('Framebuffer', frame);
        }
    }

    target(file, plan) {
        const { gl } = this;
        const isFloat = plan.log !== null && this.hasFloat;
        const texture = this.make('Texture');
        gl.bindTexture(gl.TEXTURE_2D, texture);
        gl.texStorage2D(gl.TEXTURE_2D, levelCount(file), isFloat ? gl.RGBA16F : gl.RGBA8, file.width, file.height);
        const made = { texture, plan, width: file.width, height: file.height, isFloat, isSrgb: false };
        made.dispose = () => this.drop('Texture', made.texture);
        return made;
    }

    setPlans(program, plans, flip) {
        const { gl } = this;
        const at = (name) => gl.getUniformLocation(program, name);
        gl.uniform1i(at('igs_data'), 0);
        gl.uniform1f(at('flip'), flip);
        for (let i = 0; i < TARGETS; i += 1) {
            const { channels, log } = plans[i] ?? { channels: Array(4).fill({ constant: 0 }), log: null };
            const coded = channels.map((channel) => channel.kind === 'coded');
            const z = channels.findIndex((channel) => channel.kind === 'unit_z');
            const sides = coded.flatMap((is, place) => (is && place < z ? [place] : [])).slice(-2);
            const made = channels.map((channel, place) => coded[place] || channel.kind === 'unit_z');
            const shift = (channel) => (channel.constant ?? 0) * (channel.scale ?? 1) + (channel.bias ?? 0);
            gl.uniform4iv(at(`pick[${i}]`), channels.map((channel, place) => (coded[place] ? channel.index : -1)));
            gl.uniform4fv(at(`scale[${i}]`), channels.map((channel, place) => (made[place] ? channel.scale ?? 1 : 0)));
            gl.uniform4fv(at(`bias[${i}]`), channels.map((channel, place) => (made[place] ? channel.bias ?? 0 : shift(channel))));
            gl.uniform3iv(at(`unit[${i}]`), z >= 0 && sides.length === 2 ? [...sides, z] : [-1, -1, -1]);
            gl.uniform4fv(at(`grow[${i}]`), log === null ? [0, 0, 0, 0] : [grown(log[0]), grown(log[1]) - grown(log[0]), 1, 0]);
        }
    }

    // The same bytes as sRGB where a plan says so (through a buffer: drawing would encode anew, and round), and mips.
    finish(made, file, mipmaps) {
        const { gl } = this;
        if (made.plan.srgb && !made.isFloat) this.asSrgb(made, file);
        gl.bindTexture(gl.TEXTURE_2D, made.texture);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, file.wrap.x ? gl.REPEAT : gl.CLAMP_TO_EDGE);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, file.wrap.y ? gl.REPEAT : gl.CLAMP_TO_EDGE);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, mipmaps ? gl.LINEAR_MIPMAP_LINEAR : gl.LINEAR);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
        if (mipmaps) gl.generateMipmap(gl.TEXTURE_2D);
    }

    asSrgb(made, file) {
        const { gl } = this;
        const [frame, buffer, texture] = [this.make('Framebuffer'), this.make('Buffer'), this.make('Texture')];
        this.plainUploads();
        gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, made.texture, 0);
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
        gl.bufferData(gl.PIXEL_PACK_BUFFER, 4 * file.width * file.height, gl.STREAM_COPY);
        gl.readPixels(0, 0, file.width, file.height, gl.RGBA, gl.UNSIGNED_BYTE, 0);
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
        gl.bindBuffer(gl.PIXEL_UNPACK_BUFFER, buffer);
        gl.bindTexture(gl.TEXTURE_2D, texture);
        gl.texStorage2D(gl.TEXTURE_2D, levelCount(file), gl.SRGB8_ALPHA8, file.width, file.height);
        gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, file.width, file.height, gl.RGBA, gl.UNSIGNED_BYTE, 0);
        gl.bindBuffer(gl.PIXEL_UNPACK_BUFFER, null);
        gl.bindFramebuffer(gl.FRAMEBUFFER, null);
        this.drop('Framebuffer', frame);
        this.drop('Buffer', buffer);
        this.drop('Texture', made.texture);
        made.texture = texture;
        made.isSrgb = true;
    }
}

function levelCount(file) {
    return 1 + Math.floor(Math.log2(Math.max(file.width, file.height)));
}

function grown(x) {
    return Math.sign(x) * Math.log2(1 + Math.abs(x) * LOG_KNEE);
}

function ownContext() {
    const canvas = typeof OffscreenCanvas === 'undefined' ? document.createElement('canvas') : new OffscreenCanvas(1, 1);
    const gl = canvas.getContext('webgl2', { antialias: false, depth: false });
    if (gl === null) throw new IgsError('NO_WEBGL2', 'this browser offers no WebGL 2');
    return gl;
}

function finished(gl) {
    const sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    return new Promise((resolve) => {
        const look = () => {
            const done = gl.isContextLost() || gl.clientWaitSync(sync, 0, 0) !== gl.TIMEOUT_EXPIRED;
            if (done) {
                gl.deleteSync(sync);
                resolve();
            } else {
                setTimeout(look, 1);
            }
        };
        look();
    });
}
