// Which textures a physically based material is made of, by what a file's channels mean.

import { channelOf } from './decode.js';

const ONE = { constant: 1 };
const MISSING = [{ constant: 1 }, { constant: 0.6 }, { constant: 0 }]; // occlusion, roughness, metalness

/**
 * The textures: at most one each of
 *   base    colour, and opacity in alpha
 *   alpha   opacity, where there is no colour
 *   normal
 *   packed  occlusion in red, roughness in green, metalness in blue; `fills` says which of them the file has
 *   light   what it emits
 */
export function materialParts(file) {
    const parts = [];
    const add = (name, plan, fills = []) => parts.push({ name, plan, fills });
    const colour = found(file, 'base_colour') ?? found(file, 'image');
    const opacity = found(file, 'opacity');
    if (colour) add('base', colourPlan(colour, opacity), opacity ? ['colour', 'opacity'] : ['colour']);
    else if (opacity) add('alpha', { ...colourPlan(opacity, null), srgb: false });
    const normal = found(file, 'normal');
    if (normal?.channels.length >= 3) add('normal', { ...colourPlan(normal, null), srgb: false });
    const held = [found(file, 'occlusion'), found(file, 'roughness') ?? turned(found(file, 'gloss')), found(file, 'metallic')];
    const fills = ['occlusion', 'roughness', 'metalness'].filter((_, i) => held[i]);
    if (fills.length > 0) {
        const channels = held.map((each, i) => each?.channels[0] ?? MISSING[i]);
        add('packed', { channels: [...channels, ONE], log: null, srgb: false, name: fills.join(', ') }, fills);
    }
    const light = found(file, 'emissive');
    if (light) add('light', colourPlan(light, null));
    return parts;
}

// The channels of a meaning, of the first map that has any.
function found(file, semantic) {
    for (const map of file.maps) {
        const channels = map.channels.flatMap((channel, at) => (channel.semantic === semantic ? [channelOf(map, at)] : []));
        if (channels.length > 0) return { map, channels };
    }
    return null;
}

// Gloss as roughness.
function turned(gloss) {
    return gloss && { ...gloss, channels: [{ ...gloss.channels[0], scale: -1, bias: 1 }] };
}

function colourPlan({ map, channels }, opacity) {
    const [first] = channels;
    const three = channels.length >= 3 ? channels.slice(0, 3) : [first, first, first];
    return {
        channels: [...three, opacity?.channels[0] ?? ONE],
        log: map.transfer === 'log' ? map.range : null,
        srgb: map.transfer === 'srgb',
        map,
    };
}
