// Package filter compiles display filters, in the language of Wireshark 4.0 (see
// wireshark-filter(4)), and matches them with field trees.
//
//	smb2.cmd == CREATE && smb2.filename contains "disk" && !(ip.src == 10.0.0.0/8)
//
// What it knows beyond Wireshark's:
//
//   - names of values with or without quotes, in any case, with spaces, underscores or
//     neither: Create, "Session Setup" and SESSION_SETUP; Wireshark's words and the
//     specification's (Find and QUERY_DIRECTORY are the same command);
//   - sizes: 16MiB, 4k (1024, as GNU tools have it), 1MB (10⁶); durations: 20ms;
//   - xor and ^^, between and and or;
//   - x not in {…}.
//
// What it does not have: arithmetic, layers (ip.addr#2), references (${…}), host
// names. Regular expressions are RE2's.
package filter
