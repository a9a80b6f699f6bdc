package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

// targetFlags say how to log in at a server.
type targetFlags struct {
	passwordFile, ntHash string
	guest, sign, encrypt bool
	dialect              string
	timeout              time.Duration
	kerberos             kerberosFlags
}

var dialects = map[string]smb2.Dialect{
	"2.0.2": smb2.Dialect202, "2.1": smb2.Dialect210, "3.0": smb2.Dialect300, "3.0.2": smb2.Dialect302, "3.1.1": smb2.Dialect311,
}

func (t *targetFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	t.kerberos.flags(cmd, "keytab")
	f.StringVar(&t.passwordFile, "password-file", "", "log in with the password in `FILE`, its first line, or with $ODXRAY_PASSWORD;\nwithout either it is asked for")
	f.StringVar(&t.ntHash, "nt-hash", "", "log in with the NT `HASH` of the password, or with $ODXRAY_NT_HASH")
	f.BoolVar(&t.guest, "guest", false, "go on as a guest where the server does not know the user")
	f.BoolVar(&t.sign, "sign", false, "sign everything, even where the server does not ask for it")
	f.BoolVar(&t.encrypt, "encrypt", false, "encrypt everything, even where the server does not ask for it")
	f.DurationVar(&t.timeout, "timeout", 2*time.Minute, "give up where an answer takes longer")
	f.StringVar(&t.dialect, "dialect", "", "speak this `DIALECT` alone: 2.0.2, 2.1, 3.0, 3.0.2 or 3.1.1")
}

// options are those of the connection.
func (t *targetFlags) options() (*client.Options, error) {
	o := &client.Options{Timeout: t.timeout}
	if t.dialect == "" {
		return o, nil
	}
	d, ok := dialects[t.dialect]
	if !ok {
		return nil, usagef("--dialect: it must be one of 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1")
	}
	o.Dialects = []smb2.Dialect{d}
	return o, nil
}

// parseTarget reads the URL of a share, or of a file in one.
func parseTarget(s string, file bool) (*client.Target, error) {
	t, err := client.ParseTarget(s)
	switch {
	case err != nil:
		return nil, usagef("%w", err)
	case t.Share == "":
		return nil, usagef("%s names no share", s)
	case file && t.Path == "":
		return nil, usagef("%s names no file", s)
	}
	return t, nil
}

// credentials finds what a target's user logs in with.
func (a *app) credentials(t *targetFlags, at *client.Target) (*client.Credentials, error) {
	var asked *client.Credentials // once is enough
	u, err := a.kerberosUser(&t.kerberos, at.User, at.Domain, func() (password string, err error) {
		if asked, err = a.byPassword(t, at); err == nil {
			password = asked.Password
		}
		return password, err
	})
	switch {
	case err != nil:
		return nil, err
	case u != nil:
		return &client.Credentials{Kerberos: u, Guest: t.guest, Sign: t.sign, Encrypt: t.encrypt}, nil
	case asked != nil:
		return asked, nil
	}
	return a.byPassword(t, at)
}

// byPassword finds the password of a target's user, and asks for it where a person can
// answer.
func (a *app) byPassword(t *targetFlags, at *client.Target) (*client.Credentials, error) {
	who := &client.Credentials{Guest: t.guest, Sign: t.sign, Encrypt: t.encrypt, Workstation: "ODXRAY"}
	hash := t.ntHash
	if hash == "" {
		hash = os.Getenv("ODXRAY_NT_HASH")
	}
	switch {
	case at.User == "":
		return who, nil
	case hash != "":
		b, err := hex.DecodeString(hash)
		if err != nil || len(b) != 16 {
			return nil, usagef("an NT hash is 32 hexadecimal digits")
		}
		who.NTHash = (*[16]byte)(b)
		return who, nil
	case t.passwordFile != "":
		f, err := os.Open(t.passwordFile)
		if err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Scan()
		who.Password = strings.TrimRight(lines.Text(), "\r")
		if err := lines.Err(); err != nil {
			return nil, &exitError{exitUnreadable, err}
		}
		return who, nil
	}
	if p, ok := os.LookupEnv("ODXRAY_PASSWORD"); ok {
		who.Password = p
		return who, nil
	}
	f, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, usagef("the password of %s is missing: --password-file, $ODXRAY_PASSWORD, or a terminal to ask on", at.User)
	}
	fmt.Fprintf(a.stderr, "Password of %s at %s: ", report.Escape(at.User), report.Escape(at.Host))
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.stderr)
	if err != nil {
		return nil, &exitError{exitUnreadable, fmt.Errorf("reading the password: %w", err)}
	}
	who.Password = string(b)
	return who, nil
}

// unreached is the status of what fails at a server.
func unreached(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	return &exitError{exitUnreadable, err}
}
