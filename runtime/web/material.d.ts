import type { IgsPlan } from './decode.js';
import type { IgsFile } from './igs.js';

/** A texture of a physically based material. */
export interface IgsPart {
    /** base: colour, opacity in alpha · packed: occlusion, roughness, metalness in red, green, blue */
    name: 'base' | 'alpha' | 'normal' | 'packed' | 'light';
    plan: IgsPlan;
    /** what of it the file has */
    fills: ('colour' | 'opacity' | 'occlusion' | 'roughness' | 'metalness')[];
}

export function materialParts(file: IgsFile): IgsPart[];
