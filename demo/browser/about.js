// The About section needs no script except its translation.

export {translate as start} from "./shared/written.js";
