const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Keywords that sshd 8.4 to 10.3 knows (OpenSSH, servconf.c), those that it only ignores or warns of included. */
export const keywords: ReadonlySet<string> = new Set(
  words(`
  acceptenv addressfamily allowagentforwarding allowgroups allowstreamlocalforwarding allowtcpforwarding allowusers
  authenticationmethods authorizedkeyscommand authorizedkeyscommanduser authorizedkeysfile authorizedprincipalscommand
  authorizedprincipalscommanduser authorizedprincipalsfile authorizedkeysfile2 banner casignaturealgorithms
  challengeresponseauthentication channeltimeout chrootdirectory ciphers clientalivecountmax clientaliveinterval compression
  debianbanner denygroups denyusers disableforwarding dsaauthentication exposeauthinfo fingerprinthash forcecommand gatewayports
  gssapiauthentication gssapicleanupcreds gssapicleanupcredentials gssapikexalgorithms gssapikeyexchange
  gssapistorecredentialsonrekey gssapistrictacceptorcheck gssusesessionccache gssapiusesessioncredcache
  hostbasedacceptedalgorithms hostbasedacceptedkeytypes hostbasedauthentication hostbasedusesnamefrompacketonly hostcertificate
  hostdsakey hostkey hostkeyagent hostkeyalgorithms ignorerhosts ignoreuserknownhosts include ipqos kbdinteractiveauthentication
  kerberosauthentication kerberosgetafstoken kerberosorlocalpasswd kerberostgtpassing kerberosticketcleanup kexalgorithms
  keyregenerationinterval listenaddress logingracetime loglevel logverbose macs match maxauthtries maxsessions maxstartups
  modulifile passwordauthentication pamauthenticationviakbdint pamservicename permitemptypasswords permitlisten permitopen
  permitrootlogin permittty permittunnel permituserenvironment permituserrc persourcemaxstartups persourcenetblocksize
  persourcepenalties persourcepenaltyexemptlist pidfile port printlastlog printmotd protocol pubkeyacceptedalgorithms
  pubkeyacceptedkeytypes pubkeyauthentication pubkeyauthoptions rdomain refuseconnection rekeylimit requiredrsasize reversemappingcheck
  revokedkeys rhostsauthentication rhostsrsaauthentication rsaauthentication securitykeyprovider serverkeybits setenv
  sshdauthpath sshdsessionpath skeyauthentication streamlocalbindmask streamlocalbindunlink strictmodes subsystem syslogfacility
  tcpkeepalive trustedusercakeys unusedconnectiontimeout uselogin usepam usedns useprivilegeseparation verifyreversemapping
  versionaddendum x11displayoffset x11forwarding x11uselocalhost xauthlocation`),
);

/** Of those that are judged, the ones that sshd refuses in a `Match` block. */
export const globalOnly: ReadonlySet<string> = new Set(
  words(
    'ciphers macs kexalgorithms hostkeyalgorithms hostkey permituserenvironment usepam port listenaddress',
  ),
);

/** Keywords that are yes or no, of those that are judged. */
export const flags: ReadonlySet<string> = new Set(
  words(
    'passwordauthentication kbdinteractiveauthentication permitemptypasswords hostbasedauthentication usepam pubkeyauthentication',
  ),
);

/** The values of PermitRootLogin. */
export const rootLogins: ReadonlySet<string> = new Set(
  words('yes no without-password prohibit-password forced-commands-only'),
);

/** The names in each list of algorithms, those that some version between 8.4 and 10.3 knows. */
export const algorithms: Readonly<Record<string, ReadonlySet<string>>> = {
  ciphers: new Set(
    words(`3des-cbc aes128-cbc aes192-cbc aes256-cbc aes128-ctr aes192-ctr aes256-ctr aes128-gcm@openssh.com
    aes256-gcm@openssh.com chacha20-poly1305@openssh.com`),
  ),
  macs: new Set(
    [
      'hmac-sha1',
      'hmac-sha1-96',
      'hmac-sha2-256',
      'hmac-sha2-512',
      'hmac-md5',
      'hmac-md5-96',
      'umac-64',
      'umac-128',
    ].flatMap((name) =>
      name.startsWith('umac')
        ? [`${name}@openssh.com`, `${name}-etm@openssh.com`]
        : [name, `${name}-etm@openssh.com`],
    ),
  ),
  kexalgorithms: new Set(
    words(`diffie-hellman-group1-sha1 diffie-hellman-group14-sha1 diffie-hellman-group14-sha256 diffie-hellman-group16-sha512
    diffie-hellman-group18-sha512 diffie-hellman-group-exchange-sha1 diffie-hellman-group-exchange-sha256 ecdh-sha2-nistp256
    ecdh-sha2-nistp384 ecdh-sha2-nistp521 curve25519-sha256 curve25519-sha256@libssh.org
    sntrup4591761x25519-sha512@tinyssh.org sntrup761x25519-sha512@openssh.com sntrup761x25519-sha512 mlkem768x25519-sha256`),
  ),
  hostkeyalgorithms: new Set(
    [
      'ssh-ed25519',
      'ssh-rsa',
      'ssh-dss',
      'rsa-sha2-256',
      'rsa-sha2-512',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
    ]
      .flatMap((name) => [name, `${name}-cert-v01@openssh.com`])
      .concat(
        words(`sk-ssh-ed25519@openssh.com sk-ssh-ed25519-cert-v01@openssh.com sk-ecdsa-sha2-nistp256@openssh.com
      sk-ecdsa-sha2-nistp256-cert-v01@openssh.com webauthn-sk-ecdsa-sha2-nistp256@openssh.com`),
      ),
  ),
};
