package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/odxray/odxray/flows"
)

// keyFlags are the keys for signatures and what is encrypted. Their values are kept as
// they are until they are needed: what pflag finds wrong with a value it prints, and
// keys are not to be printed.
type keyFlags struct {
	passwords, passwordFiles []string
	hashes                   []string
	keytabs                  []string
	sessions                 []string
	files                    []string
}

func (k *keyFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&k.passwords, "password", nil, "decrypt and verify with this `PASSWORD` of a user (NTLM); others can see it in the list of processes:\nbetter --password-file or $ODXRAY_PASSWORD")
	f.StringArrayVar(&k.passwordFiles, "password-file", nil, "decrypt and verify with the passwords in `FILE`, one a line")
	f.StringArrayVar(&k.hashes, "nt-hash", nil, "decrypt and verify with the NT `HASH` of a password, or $ODXRAY_NT_HASH")
	f.StringArrayVar(&k.keytabs, "keytab", nil, "decrypt and verify with the server's keytab `FILE` (Kerberos), or $ODXRAY_KEYTAB")
	f.StringArrayVar(&k.sessions, "session-key", nil, "decrypt and verify a session with its key: `SID:KEY`, as in 0x0000040000000001:0011…, or $ODXRAY_SESSION_KEY")
	f.StringArrayVar(&k.files, "keys", nil, "decrypt and verify with the keys in `FILE`, as Wireshark, smbd, ksmbd or smbinfo write them, or $ODXRAY_KEYS")
}

// keys reads them all, and those of the environment.
func (k *keyFlags) keys() (*flows.Keys, error) {
	keys := new(flows.Keys)
	for _, p := range withEnvironment(k.passwords, "ODXRAY_PASSWORD") {
		keys.AddPassword(p)
	}
	for _, name := range k.passwordFiles {
		if err := eachLine(name, func(line string) { keys.AddPassword(line) }); err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
	}
	for _, h := range withEnvironment(k.hashes, "ODXRAY_NT_HASH") {
		if err := keys.AddNTHash(h); err != nil {
			return nil, usagef("--nt-hash: %w", err)
		}
	}
	for _, name := range withEnvironment(k.keytabs, "ODXRAY_KEYTAB") {
		b, err := os.ReadFile(name)
		if err == nil {
			if err = keys.AddKeytab(b); err != nil {
				err = fmt.Errorf("keytab %s: %w", name, err)
			}
		}
		if err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
	}
	for _, s := range withEnvironment(k.sessions, "ODXRAY_SESSION_KEY") {
		if err := keys.AddSessionKey(s); err != nil {
			return nil, usagef("--session-key: %w", err)
		}
	}
	for _, name := range withEnvironment(k.files, "ODXRAY_KEYS") {
		f, err := os.Open(name)
		if err == nil {
			if err = keys.AddFile(f); err != nil {
				err = fmt.Errorf("keys in %s: %w", name, err)
			}
			f.Close()
		}
		if err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
	}
	return keys, nil
}

// withEnvironment adds the value of a variable, if it has one.
func withEnvironment(values []string, variable string) []string {
	if v := os.Getenv(variable); v != "" {
		return append(values[:len(values):len(values)], v)
	}
	return values
}

// eachLine yields the lines of a file that are not empty.
func eachLine(name string, yield func(string)) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := strings.TrimRight(lines.Text(), "\r"); line != "" {
			yield(line)
		}
	}
	return lines.Err()
}
