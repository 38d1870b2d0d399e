// The viewer: what is dropped or opened is decoded into one WebGL 2 context, which draws it on a shape or flat.

import { IgsDecoder, planOf } from '../decode.js';
import { loadIgs, parseIgs } from '../igs.js';
import { materialParts } from '../material.js';
import { readModel } from './model.js';
import { fetchPictures, pictureTexture } from './pictures.js';
import { FlatView } from './flat.js';
import { showFacts, showLegend, showMaps, showOutputs, readOut } from './panel.js';
import { SolidView } from './solid.js';
import { followPointer } from './pointer.js';

const find = (id) => document.getElementById(id);
const canvas = find('view');
const FIRST = ['base_colour', 'image']; // maps to begin with
const state = {
    gl: null, decoder: null, solid: null, flat: null,
    files: [], // { name, file, pictures }: pictures are source images as Blobs, by which map each belongs to
    at: -1, // of the files
    maps: [], // { map, decoded, source }, textures of the current file
    material: null,
    map: 0,
    decodeMs: 0, frameMs: null,
    model: null, dirty: true,
};

function look() {
    const number = (id) => Number(find(id).value);
    const chosen = (name) => document.querySelector(`input[name=${name}]:checked`).value;
    return {
        view: chosen('view'), shape: chosen('shape'), compare: chosen('compare'), around: find('around').value,
        tiles: number('tiles'), turn: number('turn'), rise: number('rise'), strength: number('strength'), green: number('green'),
        tint: find('tint').value, filter: number('filter'), spin: find('spin').checked, gaussians: find('gaussians').checked,
        channel: number('channel'), level: number('level'), split: number('split') / 100, gain: 2 ** number('gain'),
    };
}

function say(text, bad = false) {
    find('message').hidden = text === '';
    find('message').textContent = text;
    find('message').classList.toggle('bad', bad);
}

/** Says over the picture what is waited for; "" for nothing. */
function wait(text) {
    find('busy').hidden = text === '';
    find('busy').textContent = text;
    find('empty').hidden = text !== '' || state.at >= 0;
}

/** Waits until what the page says is on the screen, which decoding keeps from changing; not long where nobody looks. */
function painted() {
    const shown = new Promise((done) => { requestAnimationFrame(() => setTimeout(done)); });
    return Promise.race([shown, new Promise((done) => { setTimeout(done, 100); })]);
}

async function attempt(what) {
    try {
        await what();
    } catch (error) {
        say(error.message, true);
    } finally {
        wait('');
    }
}

// ---- files --------------------------------------------------------------------------------------------------------------

async function take(dropped) {
    const files = [...dropped];
    const materials = files.filter((each) => /\.igs$/i.test(each.name));
    const models = files.filter((each) => /\.glb$/i.test(each.name));
    const pictures = files.filter((each) => !materials.includes(each) && !models.includes(each));
    if (files.length > 0) say('');
    for (const each of materials) {
        await attempt(async () => add(each.name, await parseIgs(await each.arrayBuffer(), { name: each.name })));
    }
    for (const each of models) await attempt(() => takeModel(each));
    for (const each of pictures) await attempt(() => takePicture(each));
}

async function add(name, file, pictures = new Map()) {
    state.files.push({ name, file, pictures });
    const option = new Option(name, String(state.files.length - 1));
    find('which').add(option);
    find('which-field').hidden = state.files.length < 2;
    await show(state.files.length - 1);
}

async function show(at) {
    const { file, pictures } = state.files[at];
    wait('Decoding…');
    await painted();
    start();
    const parts = materialParts(file);
    const flat = file.maps.map((map) => ({ ...planOf(map), srgb: false, log: null })); // codes, as they are stored
    const begun = performance.now();
    const made = await state.decoder.decode(file, { plans: [...flat, ...parts.map((part) => part.plan)] });
    state.decoder.gl.finish();
    state.decodeMs = performance.now() - begun;
    forget();
    state.maps = file.maps.map((map, i) => ({ map, decoded: made[i], source: null }));
    state.material = { width: file.width, height: file.height, hasAlpha: false };
    parts.forEach((part, i) => {
        state.material[part.name] = made[file.maps.length + i];
        if (part.fills.includes('opacity')) state.material.hasAlpha = true;
    });
    [state.at, state.map] = [at, 0];
    state.flat.setFile(file);
    wait('');
    for (const [map, blob] of pictures) await attempt(() => setSource(map, blob));
    find('which').value = String(at);
    find('level').max = String(Math.floor(Math.log2(Math.max(file.width, file.height))));
    find('level').value = '0';
    find('gaussians').disabled = file.ellipses.length === 0;
    find('panel').inert = false;
    choose(Math.max(0, file.maps.findIndex((map) => FIRST.includes(map.semantic))));
}

function forget() {
    for (const { decoded, source } of state.maps) {
        decoded.dispose();
        source?.dispose();
    }
    for (const made of Object.values(state.material ?? {})) made?.dispose?.();
}

function choose(at) {
    state.map = at;
    showMaps(state, choose);
    refresh();
}

async function takeModel(each) {
    const model = readModel(await each.arrayBuffer(), each.name);
    start();
    state.model = model;
    state.solid.setModel(model);
    find('model').hidden = false;
    document.querySelector('input[name=shape][value=model]').checked = true;
    document.querySelector('input[name=view][value=solid]').checked = true;
    if (state.at < 0) say(`${each.name} is ready: now open the .igs file of its material`);
    refresh();
}

async function takePicture(each) {
    if (state.at < 0) throw new Error(`${each.name}: open an .igs file first, then the images that it was made of`);
    const stem = each.name.replace(/\.[^.]*$/, '');
    const at = state.maps.findIndex(({ map }) => map.name.toLowerCase() === stem.toLowerCase());
    const names = state.maps.map(({ map }) => map.name).join(', ');
    if (at < 0) throw new Error(`${each.name} has the name of none of the maps (${names})`);
    await setSource(at, each);
    state.files[state.at].pictures.set(at, each); // for when this file is chosen again
    document.querySelector('input[name=view][value=flat]').checked = true;
    choose(at);
}

async function setSource(at, blob) {
    const entry = state.maps[at];
    const source = await pictureTexture(state.gl, blob, state.files[state.at].file);
    entry.source?.dispose();
    entry.source = source;
    if (document.querySelector('input[name=compare]:checked').value === 'decoded') {
        document.querySelector('input[name=compare][value=split]').checked = true;
    }
}

// ---- drawing ------------------------------------------------------------------------------------------------------------

function start() {
    if (state.gl !== null && !state.gl.isContextLost()) return;
    const gl = canvas.getContext('webgl2', { antialias: true, alpha: false, powerPreference: 'high-performance' });
    if (gl === null) throw new Error('this browser offers no WebGL 2, which decodes the files');
    Object.assign(state, { gl, decoder: new IgsDecoder(gl), solid: new SolidView(gl), flat: new FlatView(gl), maps: [], material: null });
    if (state.model) state.solid.setModel(state.model);
    find('filter-field').hidden = state.solid.slanted === null;
}

function refresh() {
    state.dirty = true;
    const now = look();
    find('solid').hidden = now.view !== 'solid';
    find('flat').hidden = now.view !== 'flat';
    const source = state.maps[state.map]?.source;
    for (const input of document.querySelectorAll('input[name=compare]')) input.disabled = !source && input.value !== 'decoded';
    if (state.maps.length > 0) find('sources').hidden = Boolean(source);
    find('sides').hidden = !source || now.view !== 'flat' || now.compare !== 'split';
    for (const id of ['split', 'gain']) {
        find(id).closest('.field').hidden = !source || now.compare !== (id === 'split' ? 'split' : 'difference');
    }
    showOutputs();
    showLegend(now.tint);
    if (state.at >= 0) showFacts(state);
    if (now.view !== 'flat') find('read').textContent = '';
}

function draw(time) {
    requestAnimationFrame(draw);
    const { gl } = state;
    if (gl === null || state.material === null || gl.isContextLost()) return;
    const now = look();
    const pixels = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const [columns, rows] = [Math.round(width * pixels), Math.round(height * pixels)];
    if (canvas.width !== columns || canvas.height !== rows) {
        [canvas.width, canvas.height] = [columns, rows];
        state.dirty = true;
    }
    if (now.spin && now.view === 'solid') {
        state.solid.turn += Math.min(0.05, ((time - (state.last ?? time)) / 1000) * 0.4);
        state.dirty = true;
    }
    state.last = time;
    if (!state.dirty || width === 0) return;
    state.dirty = false;
    const begun = performance.now();
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, columns, rows);
    gl.clearColor(0.055, 0.063, 0.075, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    if (now.view === 'solid') state.solid.draw(state.material, now, width, height);
    else {
        const entry = state.maps[state.map];
        state.flat.draw(entry, entry.source ? now : { ...now, compare: 'decoded' }, width, height);
    }
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits until it is drawn
    state.frameMs = performance.now() - begun;
    showFacts(state);
}

// ---- what is done with it -----------------------------------------------------------------------------------------------

const isFlat = () => look().view === 'flat';
const size = () => [canvas.clientWidth, canvas.clientHeight];

followPointer(canvas, {
    drag(dx, dy, x, y) {
        if (state.at < 0) return;
        if (!isFlat()) state.solid.drag(dx, dy);
        else if (state.dragsSplit) setSplit(x);
        else state.flat.drag(dx, dy, ...size());
        state.dirty = true;
        point([x, y]);
    },
    press(x) {
        state.dragsSplit = false;
        if (state.at < 0 || !isFlat() || look().compare !== 'split' || !state.maps[state.map].source) return;
        const [line] = state.flat.pixelOf([look().split * state.files[state.at].file.width, 0], ...size());
        state.dragsSplit = Math.abs(x - line) < 16;
    },
    zoom(factor, x, y) {
        if (state.at < 0) return;
        if (isFlat()) state.flat.zoom(factor, x, y, ...size());
        else state.solid.zoom(factor);
        state.dirty = true;
    },
    point(x, y) { point([x, y]); },
    leave() { point(null); },
});

function setSplit(x) {
    const { width } = state.files[state.at].file;
    const [texel] = state.flat.texelAt(x, 0, ...size());
    find('split').value = String(Math.round(Math.min(100, Math.max(0, (100 * texel) / width))));
    refresh();
}

function point(at) {
    if (state.at < 0 || !isFlat()) return;
    readOut(state, at && state.flat.texelAt(...at, ...size()), look());
}

canvas.addEventListener('keydown', (event) => {
    if (state.at < 0) return;
    const steps = { ArrowLeft: [-24, 0], ArrowRight: [24, 0], ArrowUp: [0, -24], ArrowDown: [0, 24] };
    const middle = size().map((side) => side / 2);
    if (event.key in steps) {
        const [dx, dy] = steps[event.key];
        if (isFlat()) {
            state.flat.drag(-dx, -dy, ...size());
            point(middle);
        } else state.solid.drag(dx, dy);
    } else if ('+=-_'.includes(event.key)) {
        const factor = '+='.includes(event.key) ? 1.25 : 0.8;
        if (isFlat()) state.flat.zoom(factor, ...middle, ...size());
        else state.solid.zoom(factor);
    } else if (event.key === '0') (isFlat() ? state.flat : state.solid).reset();
    else return;
    event.preventDefault();
    state.dirty = true;
});

canvas.addEventListener('webglcontextlost', (event) => {
    event.preventDefault();
    say('The graphics device was lost; it comes back by itself, or reload the page.', true);
});
canvas.addEventListener('webglcontextrestored', () => {
    [state.maps, state.material, state.gl] = [[], null, null];
    say('');
    if (state.at >= 0) attempt(() => show(state.at));
});
find('panel').addEventListener('input', refresh);
find('which').addEventListener('change', () => attempt(() => show(Number(find('which').value))));
find('open').addEventListener('change', async (event) => {
    await take(event.target.files);
    event.target.value = ''; // so that the same file can be opened again
});
find('fetch').addEventListener('submit', (event) => {
    event.preventDefault();
    const address = find('address').value.trim();
    if (address !== '') load(address);
});
for (const kind of ['dragover', 'dragenter']) {
    document.addEventListener(kind, (event) => {
        event.preventDefault();
        document.body.classList.add('over');
    });
}
document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.body.classList.remove('over');
});
document.addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('over');
    take(event.dataTransfer.files);
});
new ResizeObserver(() => { state.dirty = true; }).observe(canvas);

// sources: addresses of source images, one for each map in the file's order; "" for none
function load(address, sources = []) {
    say('');
    wait('Loading…');
    return attempt(async () => {
        const file = await loadIgs(address);
        const pictures = await fetchPictures(sources);
        await add(file.name, file, pictures);
    });
}

const asked = new URLSearchParams(location.search);
document.body.classList.toggle('embedded', asked.has('embedded'));
if (asked.get('green') === '-1') find('green').value = '-1';
refresh();
requestAnimationFrame(draw);
for (const [i, address] of asked.getAll('file').entries()) await load(address, i === 0 ? asked.getAll('source') : []);
