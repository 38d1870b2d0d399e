// The triangles of a .glb, for a material to be seen on: positions, normals, tangents and the first texture coordinates of
// every mesh in its scene, moved into a ball of radius 1. Materials, skins and animations are left alone.

import { IgsError } from '../igs.js';

const READERS = {
    5120: [1, 'getInt8', 127], 5121: [1, 'getUint8', 255], 5122: [2, 'getInt16', 32767], 5123: [2, 'getUint16', 65535],
    5125: [4, 'getUint32', 4294967295], 5126: [4, 'getFloat32', 1],
};
const SIZES = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };
const FLOATS = 12; // of a point
const MOST_CORNERS = 6e6;
const DEEPEST = 64; // nodes below each other
const MOST_NODES = 1e5;

/** Points of 12 floats (position, normal, tangent with its side, coordinate) and corners by threes. Throws IgsError. */
export function readModel(data, name) {
    try {
        return gathered(data);
    } catch (error) {
        const why = error instanceof IgsError ? error.message : 'a damaged .glb, or none of glTF 2.0';
        throw new IgsError('MODEL', why, name);
    }
}

function gathered(data) {
    const view = new DataView(data);
    if (view.getUint32(0, true) !== 0x46546c67 || view.getUint32(4, true) !== 2) throw new IgsError('MODEL', 'no .glb of glTF 2.0');
    const length = view.getUint32(12, true);
    const json = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 20, length)));
    const binary = 28 + length <= data.byteLength ? 28 + length : data.byteLength;
    const packed = (json.extensionsRequired ?? []).find((each) => /draco|meshopt/i.test(each));
    if (packed) throw new IgsError('MODEL', `its meshes are packed with ${packed}, which is not read here`);
    const found = { points: [], corners: [] };
    const roots = json.scenes?.[json.scene ?? 0]?.nodes ?? (json.nodes ?? []).map((_, i) => i);
    let visited = 0;
    const walk = (number, above, depth) => {
        const node = json.nodes[number];
        visited += 1;
        if (depth > DEEPEST || visited > MOST_NODES) throw new IgsError('MODEL', 'its nodes lie too deep in each other, or are too many');
        const here = multiply(above, matrixOf(node));
        for (const primitive of json.meshes?.[node.mesh]?.primitives ?? []) add(found, primitive, here, (at) => read(json, view, binary, at));
        for (const child of node.children ?? []) walk(child, here, depth + 1);
    };
    const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    if (json.nodes) for (const root of roots) walk(root, identity, 0);
    else for (const mesh of json.meshes ?? []) for (const primitive of mesh.primitives) add(found, primitive, identity, (at) => read(json, view, binary, at));
    if (found.corners.length === 0) throw new IgsError('MODEL', 'no triangles with texture coordinates in it');
    return fitted(found);
}

function read(json, view, binary, index) {
    const accessor = json.accessors[index];
    const [bytes, get, most] = READERS[accessor.componentType];
    const width = SIZES[accessor.type];
    if (accessor.sparse || !(accessor.count * width <= MOST_CORNERS * 3)) throw new IgsError('MODEL', 'it has sparse or too many points');
    const place = json.bufferViews[accessor.bufferView];
    if (place.buffer !== 0 || json.buffers[0].uri !== undefined) throw new IgsError('MODEL', 'its buffers lie in other files');
    const first = binary + (place.byteOffset ?? 0) + (accessor.byteOffset ?? 0);
    const stride = place.byteStride ?? bytes * width;
    const scale = accessor.normalized ? 1 / most : 1;
    const values = new Float64Array(accessor.count * width);
    for (let i = 0; i < values.length; i += 1) {
        values[i] = view[get](first + Math.floor(i / width) * stride + (i % width) * bytes, true) * scale;
    }
    return values;
}

function add(found, primitive, matrix, get) {
    const { POSITION, NORMAL, TANGENT, TEXCOORD_0 } = primitive.attributes;
    if ((primitive.mode ?? 4) !== 4 || POSITION === undefined || TEXCOORD_0 === undefined) return;
    const [positions, coordinates] = [get(POSITION), get(TEXCOORD_0)];
    const count = positions.length / 3;
    const corners = primitive.indices === undefined ? Array.from({ length: count }, (_, i) => i) : get(primitive.indices);
    if (found.corners.length + corners.length > MOST_CORNERS) throw new IgsError('MODEL', 'too many triangles');
    if (coordinates.length !== 2 * count || corners.some((corner) => corner >= count)) throw new IgsError('MODEL', 'its numbers do not fit together');
    const around = across(positions, coordinates, corners);
    const normals = NORMAL === undefined ? around.normals : get(NORMAL);
    const given = TANGENT === undefined ? null : get(TANGENT);
    const [upright, turnsOver] = [cofactors(matrix), Math.sign(determinant(matrix)) || 1];
    const place = new Int32Array(2 * count).fill(-1); // of each point among all, of both sides
    const put = (i, side) => {
        const slot = i + side * count;
        if (place[slot] < 0) {
            place[slot] = found.points.length / FLOATS;
            const n = unit(turned(upright, normals, i).map((value) => value * turnsOver));
            const t = given ? turned(matrix, given, i, 4) : turned(matrix, around.tangents, slot);
            const along = dot(n, t);
            const tangent = unit(t.map((value, k) => value - along * n[k]));
            const hand = given ? given[4 * i + 3] * turnsOver : dot(cross(n, tangent), turned(matrix, around.ups, slot));
            const p = turned(matrix, positions, i);
            found.points.push(p[0] + matrix[12], p[1] + matrix[13], p[2] + matrix[14], ...n, ...tangent, hand < 0 ? -1 : 1);
            found.points.push(coordinates[2 * i], coordinates[2 * i + 1]);
        }
        found.corners.push(place[slot]);
    };
    for (let at = 0; at + 2 < corners.length; at += 3) {
        for (const i of corners.slice(at, at + 3)) put(i, around.isTurned[at / 3]);
    }
}

// Normals of the triangles around each point by their areas, and which way u grows and v falls. Where coordinates are mirrored at a
// point, each side has its own (as in M. Mikkelsen, "Simulation of Wrinkled Surfaces Revisited", 2008): their sum would be nothing.
function across(positions, coordinates, corners) {
    const length = positions.length;
    const [normals, tangents, ups] = [new Float64Array(length), new Float64Array(2 * length), new Float64Array(2 * length)];
    const isTurned = new Uint8Array(corners.length / 3);
    const edge = (a, b) => [0, 1, 2].map((k) => positions[3 * b + k] - positions[3 * a + k]);
    const step = (a, b) => [0, 1].map((k) => coordinates[2 * b + k] - coordinates[2 * a + k]);
    for (let at = 0; at + 2 < corners.length; at += 3) {
        const [a, b, c] = corners.slice(at, at + 3);
        const [e, f, [du, dv], [eu, ev]] = [edge(a, b), edge(a, c), step(a, b), step(a, c)];
        const side = Math.sign(du * ev - eu * dv);
        const flat = cross(e, f);
        isTurned[at / 3] = side < 0 ? 1 : 0;
        for (const point of [a, b, c]) {
            const slot = 3 * point + isTurned[at / 3] * length;
            for (let k = 0; k < 3; k += 1) {
                normals[3 * point + k] += flat[k];
                tangents[slot + k] += side * (e[k] * ev - f[k] * dv);
                ups[slot + k] += side * (e[k] * eu - f[k] * du);
            }
        }
    }
    return { normals, tangents, ups, isTurned };
}

function fitted({ points, corners }) {
    const [least, most] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
    for (let i = 0; i < points.length; i += 1) {
        if (i % FLOATS > 2) continue;
        least[i % FLOATS] = Math.min(least[i % FLOATS], points[i]);
        most[i % FLOATS] = Math.max(most[i % FLOATS], points[i]);
    }
    const size = Math.hypot(...most.map((value, k) => value - least[k])) / 2;
    if (!(size > 0 && size < Infinity)) throw new IgsError('MODEL', 'it has no size');
    const moved = points.map((value, i) => (i % FLOATS < 3 ? (value - (least[i % FLOATS] + most[i % FLOATS]) / 2) / size : value));
    return { points: moved, corners };
}

function unit(v) {
    const length = Math.hypot(...v);
    return length > 0 ? v.map((value) => value / length) : [1, 0, 0];
}

function dot(a, b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a, b) {
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function determinant(m) {
    return dot(m.slice(0, 3), cross(m.slice(4, 7), m.slice(8, 11)));
}

// What turns normals where a matrix turns points, but for the determinant's sign: its inverse, transposed, times its determinant.
function cofactors(m) {
    const [x, y, z] = [0, 4, 8].map((at) => m.slice(at, at + 3));
    return [...cross(y, z), 0, ...cross(z, x), 0, ...cross(x, y), 0, 0, 0, 0, 1];
}

function turned(m, from, i, stride = 3) {
    const [x, y, z] = [from[stride * i], from[stride * i + 1], from[stride * i + 2]];
    return [m[0] * x + m[4] * y + m[8] * z, m[1] * x + m[5] * y + m[9] * z, m[2] * x + m[6] * y + m[10] * z];
}

function matrixOf(node) {
    if (node.matrix) return node.matrix;
    const [x, y, z, w] = node.rotation ?? [0, 0, 0, 1];
    const [s, t] = [node.scale ?? [1, 1, 1], node.translation ?? [0, 0, 0]];
    return [
        s[0] * (1 - 2 * (y * y + z * z)), s[0] * 2 * (x * y + z * w), s[0] * 2 * (x * z - y * w), 0,
        s[1] * 2 * (x * y - z * w), s[1] * (1 - 2 * (x * x + z * z)), s[1] * 2 * (y * z + x * w), 0,
        s[2] * 2 * (x * z + y * w), s[2] * 2 * (y * z - x * w), s[2] * (1 - 2 * (x * x + y * y)), 0,
        ...t, 1,
    ];
}

export function multiply(a, b) {
    return Array.from({ length: 16 }, (_, i) => [0, 1, 2, 3].reduce((sum, k) => sum + a[(i & 3) + 4 * k] * b[(i & 12) + k], 0));
}
