/** The shapes of what the page scripts hand to each other, for who checks their types: no browser reads this file. */

/** What is asked of the server and what it says: see wire.js. */
interface Progress { today: number; target: number; total: number }
interface Option { option_id: string; image_url: string; width: number; height: number }
interface Experiment {
  experiment_id: string; lease_until?: string; practice?: boolean; source_url: string; source_width: number; source_height: number;
  options: Option[]; study?: Study;
}
interface Study { id: string; name: string }
interface Next {
  state: "ready" | "generating" | "empty" | "paused" | "finished"; message: string; progress: Progress; onboarding: Onboarding;
  from_admin: Letter | null; uploads: boolean; study: Study | null; experiments: Experiment[];
}
/** What is due before photos are shown. */
interface Onboarding { consent: boolean; guidelines: boolean; training: { done: number; of: number } | null }
/** What an admin wrote to the rater. */
interface Letter { words: string; at: string }
interface Verdict { id: string; verdict: string; detail?: string; right?: [number, number] | null }
interface Answer {
  id: string; option_id: string; score?: number; skip?: string; tags: string[]; comment: string; flagged: boolean; client_seq: number;
  painted_at: string; seen_ms: number;
}
interface UploadState {
  state: "ready" | "generating" | "void"; experiment_id: string; message?: string; watch?: string; done?: number; of?: number;
}
/** What one score means, and what raters of a study are told. */
interface Anchor { score: number; label: string; words: string; example_url: string | null }
interface Told {
  study: Study; words: string; anchors: Anchor[]; tags: Record<string, string>; consent: string;
  consent_hash: string; unsafe_ok: boolean;
}

/** One option, ready to be shown; of one of the practice the rater is told what was expected. */
interface Item {
  experiment_id: string; option_id: string; image_url: string; width: number; height: number; source_url: string; source_width: number;
  source_height: number; practice?: boolean; study?: Study;
}
interface Answered { rater: string; option_id: string; id: string; score: number; item: Item }
/** One thing the server has to be told; `seq` is an id, so that writing it twice is writing it once. */
interface Entry { seq: string; rater: string; kind: "answer" | "undo"; id: string; option_id: string; body?: Answer }

/** What a rater does: see session.js. */
interface Remarks { tags: string[]; comment: string; flagged: boolean }
type Judgement = { score: number } | { skip: string };
interface Given { id: string; score: number }
type Rest = "stopped" | "break";
interface Lesson { score: number; right: [number, number]; done: number; of: number }

/** Keys; what is `held` may repeat while the key is down. */
type Command = "rate" | "compare" | "slider" | "zoom" | "move" | "undo" | "skip" | "note" | "flag" | "grid" | "help" | "close";
interface Press { command: Command; value: number }
interface Action { name: string; words: string; command: Command; value: number; keys: string[]; held?: boolean }

/** A version in a grid. */
interface Cell { item: Item; figure: HTMLElement; scores: HTMLFieldSetElement; said: HTMLElement; sight: Sight | null }

/** A place on the stage, in its pixels, and what fingers can do there. */
interface Spot { x: number; y: number }
interface Hand {
  grab: (spot: Spot) => boolean; slide: (x: number) => void; drag: (dx: number, dy: number) => void;
  pinch: (factor: number, spot: Spot) => void; tap: (spot: Spot) => void; doubleTap: (spot: Spot) => void;
}

/** The parts of the page, which are handed to each other too. */
type Attention = import("./attention.js").Attention;
type Guide = import("./guide.js").Guide;
type Images = import("./images.js").Images;
type Keys = import("./keys.js").Keys;
type Outbox = import("./outbox.js").Outbox;
type Queue = import("./queue.js").Queue;
type Session = import("./session.js").Session;
type Sight = import("./attention.js").Sight;
type Stage = import("./stage.js").Stage;
type Store = import("./store.js").Store;
type Wire = import("./wire.js").Wire;
