// Reads a KTX 2 file with ktx-parse, which is not ours: prints its header as JSON, and writes each level to a file.
// node read_ktx2.mjs NODE_MODULES FILE.ktx2 FOLDER
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file, folder] = process.argv.slice(2);
const { read } = await import(pathToFileURL(path.join(modules, "ktx-parse", "dist", "index.mjs")));
const { levels, ...header } = read(fs.readFileSync(file));
levels.forEach((level, index) => fs.writeFileSync(path.join(folder, `level${index}`), level.levelData));
console.log(JSON.stringify({ ...header, levelCount: levels.length }));
