/** Names that private keys have by convention, and keyd's folder, where files have no extension. */
const keyNames = [
  /\.key(?:\.[^/]*)?$/i,
  /(?:^|[/_-])(?:priv(?:ate)?)?key\d*(?:\.(?:pem|der|txt))?$/i,
  /\.(?:p8|pk8)$/i,
  /\/aziot\/keyd\//,
];

/** Whether a path has the name of a private key. Such a file is never opened. */
export const isNamedAsPrivateKey = (path: string): boolean => keyNames.some((name) => name.test(path));
