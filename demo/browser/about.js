// The section About needs no script but its translation.

export {translate as start} from "./shared/written.js";
