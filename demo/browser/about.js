// The About section needs no script except its translation.

export {ready} from "./shared/language.js";
export {translate as start} from "./shared/written.js";
