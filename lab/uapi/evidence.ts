/** What a test that passed showed of the uAPI. */
export interface Evidence {
  /** Names that the running kernel did. */
  proven: readonly string[];
  /** Names that were refused, or seen not to be there. */
  refused: readonly string[];
  /** The test's source, from the package's directory. */
  file: string;
  /** The machine of the lab; `undefined` on a machine that is none. */
  profile: string | undefined;
  /** What `uname -r` says there. */
  kernel: string;
}

/** The same, with the title of the test. */
export interface Proof extends Evidence {
  title: string;
}

/** All proofs of each name. */
export interface Proofs {
  /** By a kernel of the lab that did it. */
  proven: ReadonlyMap<string, readonly Proof[]>;
  /** By a refusal or an absence, on whatever machine. */
  refused: ReadonlyMap<string, readonly Proof[]>;
  /** Claims of tests that ran on no machine of the lab: they prove nothing. */
  idle: readonly Proof[];
}

/** Sorts proofs by what they prove. */
export function gather(proofs: readonly Proof[]): Proofs {
  const proven = new Map<string, Proof[]>();
  const refused = new Map<string, Proof[]>();
  const idle: Proof[] = [];
  for (const proof of proofs) {
    if (proof.profile === undefined && proof.proven.length > 0) idle.push(proof);
    else for (const name of proof.proven) add(proven, name, proof);
    for (const name of proof.refused) add(refused, name, proof);
  }
  return { proven, refused, idle };
}

function add(map: Map<string, Proof[]>, name: string, proof: Proof): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [proof]);
  else list.push(proof);
}
