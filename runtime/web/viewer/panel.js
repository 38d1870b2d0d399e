// What the panel says: the list of maps, values beside sliders, figures, and the texel under the pointer.

import { tintOf } from './shaders.js';

const find = (id) => document.getElementById(id);
const LOG_KNEE = 64; // docs/conventions.md

export function bytes(count) {
    if (count < 10000) return `${count.toLocaleString('en')} bytes`;
    return count < 1e6 ? `${(count / 1000).toFixed(1)} KB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** The maps as buttons; names are the file's, so only ever text. */
export function showMaps(state, choose) {
    const buttons = state.maps.map(({ map, source }, at) => {
        const button = document.createElement('button');
        const [name, meaning] = [document.createElement('span'), document.createElement('span')];
        button.type = 'button';
        button.setAttribute('aria-pressed', String(at === state.map));
        name.textContent = map.name;
        meaning.textContent = `${map.semantic.replace('_', ' ')}${source ? ' · source' : ''}`;
        button.append(name, meaning);
        button.addEventListener('click', () => {
            choose(at);
            find('maps').children[at].focus();
        });
        return button;
    });
    find('maps').replaceChildren(...buttons);
}

export function showOutputs() {
    const words = {
        tiles: (value) => `${value} ×`, turn: (value) => `${value}°`, rise: (value) => `${value}°`, strength: (value) => value,
        split: (value) => `${value} %`, gain: (value) => `× ${2 ** value}`, level: (value) => value,
    };
    for (const [id, word] of Object.entries(words)) {
        document.querySelector(`output[for=${id}]`).textContent = word(find(id).value);
    }
}

const SHADES = { // shades of tintOf, and what each stands for
    none: ['', []],
    level: ['Mip level that is sampled:', [[0, '0'], [1, '1'], [2, '2'], [3, '3'], [4, '4'], [5, '5'], [6, '6 and more']]],
    slant: ['Texels that a pixel covers, lengthwise to crosswise:', [[0, '1 : 1'], [1.5, '2 : 1'], [3, '4 : 1'], [4.5, '8 : 1'], [6, '16 : 1 and more']]],
};

/** What the colours stand for that the material is tinted with. */
export function showLegend(tint) {
    const [words, labels] = SHADES[tint];
    find('legend').hidden = labels.length === 0;
    find('legend-words').textContent = words;
    find('shades').replaceChildren(...labels.map(([shade, label]) => {
        const [item, colour] = [document.createElement('li'), document.createElement('i')];
        colour.style.background = tintOf(shade);
        item.append(colour, label);
        return item;
    }));
}

export function showFacts(state) {
    const { file } = state.files[state.at];
    const texels = file.width * file.height;
    const textures = state.maps.length * texels * 4 * (4 / 3);
    const facts = [
        ['Size', `${file.width} × ${file.height} texels`],
        ['Maps', `${file.maps.length}, ${file.channelCount} channels`],
        ['Gaussians', file.isExact ? 'none: exact samples' : file.gaussianCount.toLocaleString('en')],
        ['Grain', file.hasDetail ? 'yes' : 'no'],
        ['Residual', file.hasResidual ? 'yes' : 'no'],
        ['Lattice', file.hasRepeat ? 'yes' : 'no'],
        ['Repeats', file.wrap.x && file.wrap.y ? 'both ways' : file.wrap.x ? 'sideways' : file.wrap.y ? 'up and down' : 'no'],
        ['File', bytes(file.fileBytes)],
        ['Bits per texel', ((8 * file.fileBytes) / texels).toFixed(2)],
        ['On the GPU', `${bytes(file.gpuBytes)}, without mips`],
        ['As textures', bytes(Math.round(textures))],
        ['Decoded in', `${state.decodeMs.toFixed(0)} ms`],
        ['Frame', state.frameMs === null ? '' : `${state.frameMs.toFixed(1)} ms`],
    ];
    const list = find('facts');
    if (list.children.length !== 2 * facts.length) {
        list.replaceChildren(...facts.flatMap(() => [document.createElement('dt'), document.createElement('dd')]));
    }
    facts.forEach(([name, value], i) => {
        list.children[2 * i].textContent = name;
        list.children[2 * i + 1].textContent = value;
    });
}

/** Says what the texel at a point of the picture holds, decoded and in the source. */
export function readOut(state, at, look) {
    const { file } = state.files[state.at];
    const texel = at?.map(Math.floor);
    if (!texel || texel[0] < 0 || texel[1] < 0 || texel[0] >= file.width || texel[1] >= file.height) {
        find('read').textContent = '';
        return;
    }
    const { map, decoded, source } = state.maps[state.map];
    const level = look.level > 0 ? texel.map((value) => value >> look.level) : texel;
    const say = (made) => values(map, pixel(state.gl, made, level, look.level));
    let text = `Texel ${level[0]}, ${level[1]}${look.level > 0 ? ` of level ${look.level}` : ''} · Decoded ${say(decoded)}`;
    if (source && source.width === file.width && source.height === file.height) text += ` · Source ${say(source)}`;
    find('read').textContent = text;
}

function pixel(gl, made, [x, y], level) {
    const frame = gl.createFramebuffer();
    const found = new Uint8Array(4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, made.texture, level);
    gl.readPixels(x, y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, found);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    return found;
}

// As the map's samples: 0 to 255 of 8 and 16 bits alike, floats in their own range.
function values(map, found) {
    const count = map.channels.length;
    const shown = count === 1 ? [found[0]] : count === 2 ? [found[0], found[3]] : [...found].slice(0, Math.min(count, 4));
    if (map.transfer !== 'log') return shown.join(', ');
    const [lo, hi] = map.range.map((x) => Math.sign(x) * Math.log2(1 + Math.abs(x) * LOG_KNEE));
    const grown = shown.map((code) => lo + (code / 255) * (hi - lo));
    return grown.map((code) => ((Math.sign(code) * (2 ** Math.abs(code) - 1)) / LOG_KNEE).toPrecision(3)).join(', ');
}
