/** The systemd unit of a site. */
import type { Place } from './site-files.ts';

/**
 * The unit, hardened: it may read its site, write its journal, and talk to the network; nothing
 * else. Two doors stay open that it needs: memory that is written and run (V8 compiles), and the
 * network.
 */
export function unitText({ root, command }: Place): string {
  const start = [...command, 'serve', '--site', root, '--data', '/var/lib/gatehouse'];
  return `# Install, as root:
#   useradd --system --home-dir /var/lib/gatehouse --shell /usr/sbin/nologin gatehouse
#   install -d -m 0700 /etc/gatehouse-secrets
#   cp gatehouse.service /etc/systemd/system/ && systemctl daemon-reload
#   systemctl enable --now gatehouse
#
# Each file in /etc/gatehouse-secrets is a secret of the service alone. A channel names one so:
#   apikey: \${file:/run/credentials/gatehouse.service/secret_pds-apikey}
#
# The site has to be readable for the user gatehouse, and so has Gatehouse itself; neither may stand
# below /home, /root or /tmp. Orders are given as the same user:
#   sudo -u gatehouse gatehouse status --data /var/lib/gatehouse

[Unit]
Description=Gatehouse, HL7 v2 integration engine
Documentation=https://github.com/gatehouse/gatehouse
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=gatehouse
Group=gatehouse
WorkingDirectory=${root}
ExecStart=${start.map(quoted).join(' ')}
# The configuration is read again, the whole of it or nothing.
ExecReload=/bin/kill -HUP $MAINPID
LoadCredential=secret:/etc/gatehouse-secrets
StateDirectory=gatehouse
StateDirectoryMode=0700
UMask=0077
Restart=always
RestartSec=2
# What is in hand is answered first: see limits.stop in site.yaml.
TimeoutStopSec=30
LimitNOFILE=65536

# Files: all read-only but the state directory.
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible

# The machine: nothing of it can be changed.
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes

# Rights: none, and no way to any.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
KeyringMode=private
RemoveIPC=yes

# System calls of an ordinary network service. MemoryDenyWriteExecute cannot be set: V8 compiles.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

# A port below 1024 needs CapabilityBoundingSet=CAP_NET_BIND_SERVICE, AmbientCapabilities likewise,
# and no PrivateUsers.

[Install]
WantedBy=multi-user.target
`;
}

/** As systemd splits a command line. */
const quoted = (word: string) =>
  /^[\w./@:=+-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&').replaceAll('%', '%%')}"`;
