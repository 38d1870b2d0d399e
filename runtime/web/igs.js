// Reads .igs files in a page: bytes -> what the material holds, and the words that its shaders read.
//
//     import { loadIgs } from './igs.js';
//     const file = await loadIgs('cobbles.igs');
//     file.maps.forEach((map) => console.log(map.name, map.semantic));
//
// decode.js makes textures of it, igs-loader.js a material of three.js. Types: igs.d.ts.

export const SEMANTICS = [
    'data', 'base_colour', 'normal', 'roughness', 'gloss', 'metallic', 'occlusion', 'height', 'opacity', 'emissive',
    'specular', 'image', 'mask', 'subsurface', 'transmission', 'clearcoat', 'sheen', 'anisotropy', 'cavity',
];
const TRANSFERS = ['linear', 'srgb', 'log'];
const FORMATS = ['uint8', 'uint16', 'float16', 'float32'];
const KINDS = ['coded', 'constant', 'unit_z'];
const MAX_FILE_BYTES = 1 << 28; // igs.h has the same
const KEPT_MEMORY = 1 << 26; // bytes; a module that took more is given up, as its memory never shrinks

/** A file that is no .igs file, is broken, or takes too much. `code` is a name such as HEADER_CRC. */
export class IgsError extends Error {
    constructor(code, message, from = '') {
        super(from ? `${from}: ${message}` : message);
        this.name = 'IgsError';
        this.code = code;
    }
}

let compiled = null; // promise of the module
let running = null; // an instance of it, one file at a time

/** Fetches and compiles igs.wasm, once; without it the first file does. */
export function loadRuntime(source = new URL('./built/igs.wasm', import.meta.url)) {
    compiled ??= compile(source).catch((error) => {
        compiled = null;
        throw error;
    });
    return compiled;
}

async function compile(source) {
    if (source instanceof WebAssembly.Module) return source;
    let bytes = source;
    if (!(source instanceof ArrayBuffer) && !ArrayBuffer.isView(source)) {
        const reply = await fetched(source);
        bytes = await reply.arrayBuffer(); // not streamed, which wants a media type that many servers do not send
    }
    return WebAssembly.compile(bytes);
}

/** Fetches; what fails is an IgsError. */
export async function fetched(url, options) {
    let reply;
    try {
        reply = await fetch(url, options);
    } catch (error) {
        if (error.name === 'AbortError') throw error;
        throw new IgsError('NETWORK', 'it could not be fetched: no such server, or it does not allow this page to', shown(url));
    }
    if (!reply.ok) throw new IgsError('NETWORK', `the server answers ${reply.status} ${reply.statusText}`.trim(), shown(url));
    return reply;
}

// The file's name in a URL, to be shown.
function shown(url) {
    const [path] = String(url).split(/[?#]/);
    if (path.startsWith('data:')) return 'data: URL';
    const last = path.split('/').pop() || path;
    try {
        return decodeURIComponent(last);
    } catch {
        return last;
    }
}

/** Fetches a file and reads it. */
export async function loadIgs(url, options = {}) {
    const reply = await fetched(url, options.fetch);
    return parseIgs(await reply.arrayBuffer(), { ...options, name: options.name ?? shown(url) });
}

/** Reads a file's bytes (ArrayBuffer or a view of one). Throws IgsError; nothing of a broken file is kept. */
export async function parseIgs(data, options = {}) {
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    const name = options.name ?? '';
    const module = await loadRuntime();
    running ??= start(module);
    const core = running; // no await from here on: no other file comes between
    try {
        return readFile(core, bytes, name, options.levels ?? false);
    } catch (error) {
        if (error instanceof IgsError) throw error;
        running = null; // after a trap nothing in it is to be trusted
        throw new IgsError('RUNTIME', `reading it ended in ${error.message}`, name);
    } finally {
        if (running !== null) core.igs_web_release();
        if (core.memory.buffer.byteLength > KEPT_MEMORY) running = null;
    }
}

function start(module) {
    const core = new WebAssembly.Instance(module).exports;
    core._initialize();
    return core;
}

function readFile(core, bytes, name, levels) {
    if (bytes.length > MAX_FILE_BYTES) throw new IgsError('FILE_LARGE', 'it is larger than an .igs file can be', name);
    const room = core.igs_web_room(bytes.length);
    if (room === 0) throw new IgsError('NO_MEMORY', 'it takes more memory than this page gets', name);
    new Uint8Array(core.memory.buffer).set(bytes, room);
    const code = core.igs_web_load(levels ? 1 : 0);
    if (code !== 0) throw new IgsError(text(core, core.igs_web_error_name(code)), text(core, core.igs_web_error_text(code)), name);
    return new IgsFile(core, bytes.length, name);
}

function text(core, at, length = -1) {
    const bytes = new Uint8Array(core.memory.buffer, at);
    return new TextDecoder().decode(bytes.subarray(0, length < 0 ? bytes.indexOf(0) : length));
}

/** A material: what it is, its maps, and the words that shaders read (docs/gpu-buffer.md). Holds nothing of the module. */
export class IgsFile {
    constructor(core, fileBytes, name) {
        const { buffer } = core.memory;
        const word = new Uint32Array(buffer, core.igs_web_result(), 22); // struct igs_web_file of igs_web.c
        const real = new Float32Array(buffer, word.byteOffset, 20);
        [this.version, this.width, this.height, this.channelCount, this.componentCount, this.gaussianCount] = word;
        this.name = name;
        this.wrap = { x: word[6] !== 0, y: word[7] !== 0 };
        this.hasDetail = word[8] !== 0;
        this.hasResidual = word[20] !== 0;
        this.hasRepeat = word[21] !== 0;
        this.isExact = word[9] !== 0;
        this.cutoff = real[14];
        this.fileBytes = fileBytes;
        this.gpuBytes = word[12];
        this.words = new Uint32Array(buffer, word[13], word[12] / 4).slice();
        this.maps = Array.from({ length: word[10] }, (_, i) => readMap(core, word[11] + 32 * i));
        this.ellipses = ellipses(buffer, word, real);
    }

    /** Colours to be shown: maps of a meaning, the first of them first. */
    mapsOf(semantic) {
        return this.maps.filter((map) => map.semantic === semantic);
    }
}

function readMap(core, at) {
    const view = new DataView(core.memory.buffer, at, 32); // struct igs_map of igs.h
    const u32 = (place) => view.getUint32(place, true);
    const channels = Array.from({ length: view.getUint8(19) }, (_, i) => {
        const channel = new DataView(core.memory.buffer, u32(28) + 8 * i, 8);
        const kind = KINDS[channel.getUint8(1)];
        const known = { semantic: SEMANTICS[channel.getUint8(0)], kind };
        if (kind === 'coded') known.index = channel.getUint8(2);
        if (kind === 'constant') known.constant = channel.getFloat32(4, true);
        return known;
    });
    return {
        name: text(core, u32(0), u32(8)),
        suffix: text(core, u32(4), u32(12)),
        semantic: SEMANTICS[view.getUint8(16)],
        transfer: TRANSFERS[view.getUint8(17)],
        sampleFormat: FORMATS[view.getUint8(18)],
        range: [view.getFloat32(20, true), view.getFloat32(24, true)],
        channels,
    };
}

// docs/igs-format.md, "Section 4" and "Section 5". Half axes are those at one deviation; a support is √(2 cut-off) times as large.
function ellipses(buffer, word, real) {
    const [count, sizeStep, formStep] = [word[5], real[15], real[16]];
    if (word[9] !== 0) return new Float32Array(0); // exact samples: its Gaussians mean nothing
    const shapes = new Int16Array(buffer, word[17], 3 * count);
    const positions = new Int32Array(buffer, word[18], 2 * count);
    const exponents = new Int8Array(buffer, word[19], 2 * count);
    const found = new Float32Array(5 * count);
    for (let n = 0; n < count; n += 1) {
        const [m, h, b] = [shapes[3 * n] * sizeStep, shapes[3 * n + 1] * formStep, shapes[3 * n + 2] * formStep];
        const r = Math.hypot(h, b);
        found[5 * n] = (positions[2 * n] + 0.5) * 2 ** exponents[2 * n];
        found[5 * n + 1] = (positions[2 * n + 1] + 0.5) * 2 ** exponents[2 * n + 1];
        found[5 * n + 2] = Math.exp((m + r) / 2);
        found[5 * n + 3] = Math.exp((m - r) / 2);
        found[5 * n + 4] = Math.atan2(b, h) / 2;
    }
    return found;
}

/** Bytes that the module holds, for those who count. */
export function runtimeBytes() {
    return running === null ? 0 : running.memory.buffer.byteLength;
}
