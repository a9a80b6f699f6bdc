package flows

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// text prints keys: id, session, signing, client to server, server to client.
func (s sessionKeys) text() string {
	return fmt.Sprintf("%#x %x %x %x %x", s.id, s.session, s.Signing, s.ClientToServer, s.ServerToClient)
}

func TestKeyFiles(t *testing.T) {
	const (
		session = "4795fd84a8a9ae98e693e3c456d41a27"
		signing = "4a86aa987d9fe61701af610e6cb7e20a"
		toward  = "f8f472ad25c698c5e5a1e6ab693987e5"
		from    = "2ea86d6495520154c757ba216d78428b"
		all     = "0x3b70cbfb " + session + " " + signing + " " + toward + " " + from
	)
	spaced := func(s string) string {
		b, _ := hex.DecodeString(s)
		return fmt.Sprintf("% x", b)
	}
	for _, x := range []struct{ name, file, want string }{
		{"Wireshark, all", "fbcb703b00000000," + session + "," + from + "," + toward, "0x3b70cbfb " + session + "  " + toward + " " + from},
		{"Wireshark, quoted", `"fbcb703b00000000","` + session + `","",""`, "0x3b70cbfb " + session + "   "},
		{"Wireshark, directions", `fbcb703b00000000,"",` + from + "," + toward, "0x3b70cbfb   " + toward + " " + from},
		{"Wireshark, as an option", "uat:smb2_seskey_list:fbcb703b00000000," + session + `,"",""`, "0x3b70cbfb " + session + "   "},
		{"Wireshark, as a command", "-o 'uat:smb2_seskey_list:fbcb703b00000000," + session + "'", "0x3b70cbfb " + session + "   "},
		{"table", strings.Join([]string{"#session_id\tcipher\tsigning\tsession_key\tsigning_key\tapp_key\tc2s_key(ServerIn)\ts2c_key(ServerOut)",
			"000000003b70cbfb\t2\t2\t" + session + "\t" + signing + "\t" + signing + "\t" + toward + "\t" + from}, "\n"), all},
		{"table without a header", "000000003b70cbfb\t2\t2\t" + session + "\t" + signing + "\t" + signing + "\t" + toward + "\t" + from, all},
		{"table in the order of the wire", "# capture\tsession_id (as on the wire, hex)\tcipher (1 AES-128-CCM)\tsession_key\tsigning_key\tclient_to_server_key (ServerIn)\tserver_to_client_key (ServerOut)\n" +
			"odx\tfbcb703b00000000\t-\t" + session + "\t-\t-\t-", "0x3b70cbfb " + session + "   "},
		{"smbd", "[2026/11/20 07:26:53.964, 0] smb2_sesssetup\n  debug encryption: dumping generated session keys\nSession Id    [0000] FB CB 70 3B 00 00 00 00                            ..p;....\n" +
			"Session Key   [0000] 47 95 FD 84 A8 A9 AE 98   E6 93 E3 C4 56 D4 1A 27   G....... ....V..'\n" +
			"Signing Key   [0000] 4A 86 AA 98 7D 9F E6 17   01 AF 61 0E 6C B7 E2 0A   J...}... ..a.l...\n" +
			"App Key       [0000] 4A 86 AA 98 7D 9F E6 17   01 AF 61 0E 6C B7 E2 0A   J...}... ..a.l...\n" +
			"ServerIn Key  [0000] F8 F4 72 AD 25 C6 98 C5   E5 A1 E6 AB 69 39 87 E5   ..r.%... ....i9..\n" +
			"ServerOut Key [0000] 2E A8 6D 64 95 52 01 54   C7 57 BA 21 6D 78 42 8B   ..md.R.T .W.!mxB.\n", all},
		{"smbd, long", "Session Id    [0000] FB CB 70 3B 00 00 00 00                            ..p;....\n" +
			"ServerIn Key  [0000] F8 F4 72 AD 25 C6 98 C5   E5 A1 E6 AB 69 39 87 E5   ab cd\n[0010] 2E A8 6D 64 95 52 01 54   C7 57 BA 21 6D 78 42 8B   ..md\n",
			"0x3b70cbfb   " + toward + from + " "},
		{"smbd, name and bytes apart", "Session Id    \n[0000] FB CB 70 3B 00 00 00 00   ..p;....\nSession Key   \n" +
			"[0000] 47 95 FD 84 A8 A9 AE 98   E6 93 E3 C4 56 D4 1A 27   G....... ....V..'\n", "0x3b70cbfb " + session + "   "},
		{"cifs", "[ 1.0] CIFS: VFS: generate_smb3signingkey: dumping generated AES session keys\n[ 1.0] CIFS: VFS: Session Id    " + spaced("fbcb703b00000000") +
			"\n[ 1.0] CIFS: VFS: Session Key   " + spaced(session) + "\n[ 1.0] CIFS: VFS: Signing Key   " + spaced(signing) +
			"\n[ 1.0] CIFS: VFS: ServerIn Key  " + spaced(toward) + "\n[ 1.0] CIFS: VFS: ServerOut Key " + spaced(from), all},
		{"ksmbd", "ksmbd: dumping generated AES signing keys\nksmbd: Session Id    997247995\nksmbd: Session Key   " + spaced(session) + "\nksmbd: Signing Key   " + spaced(signing) +
			"\nksmbd: dumping generated AES encryption keys\nksmbd: Cipher type   2\nksmbd: Session Id    997247995\nksmbd: Session Key   " + spaced(session) +
			"\nksmbd: ServerIn Key  " + spaced(toward) + "\nksmbd: ServerOut Key " + spaced(from), all},
		{"smbinfo", "GCM encryption\nSession Id:   " + spaced("fbcb703b00000000") + "\nSession Key:  " + spaced(session) + "\nServer Encryption Key: " + spaced(from) + "\nServer Decryption Key: " + spaced(toward),
			"0x3b70cbfb " + session + "  " + toward + " " + from},
		{"smbinfo, without spaces", "Session Id: fbcb703b00000000\nSession Key: " + session, "0x3b70cbfb " + session + "   "},
	} {
		k := new(Keys)
		if err := k.AddFile(strings.NewReader(x.file)); err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		var got []string
		for _, s := range k.sessions {
			got = append(got, s.text())
		}
		if strings.Join(got, "; ") != x.want {
			t.Errorf("%s:\n%s, want\n%s", x.name, strings.Join(got, "; "), x.want)
		}
	}
}

// What is wrong with a key is told without the key.
func TestKeyErrors(t *testing.T) {
	const secret = "5ec7e7"
	k := new(Keys)
	for name, err := range map[string]error{
		"NT hash":       k.AddNTHash(secret),
		"session key":   k.AddSessionKey("1:" + secret + "zz"),
		"no session id": k.AddSessionKey(secret),
		"Wireshark":     k.AddFile(strings.NewReader("fbcb703b00000000," + secret + "zz")),
		"no keys":       k.AddFile(strings.NewReader("once upon a time " + secret)),
		"keytab":        k.AddKeytab([]byte("\x05\x02\x00\x00" + secret)),
		"empty keytab":  k.AddKeytab(nil),
	} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !k.Empty() || !(*Keys)(nil).Empty() {
		t.Error("what is no key counts as one")
	}
}

func TestSessionKeyFlag(t *testing.T) {
	k := new(Keys)
	if err := k.AddSessionKey("0x0000040000000001:00112233445566778899aabbccddeeff"); err != nil {
		t.Fatal(err)
	}
	if got := k.of(0x40000000001); len(got) != 1 || got[0].text() != "0x40000000001 00112233445566778899aabbccddeeff   " {
		t.Errorf("%v", got)
	}
	if got := k.of(1); got != nil {
		t.Errorf("session 1: %v", got)
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add("fbcb703b00000000,4795fd84a8a9ae98e693e3c456d41a27\nSession Id [0000] 01\nServerIn Key [0000] 02 03 04 05 06 07 08 09\n[0010] 03\n#session_id\tsession_key\n0\t1", []byte{5, 2})
	f.Fuzz(func(t *testing.T, s string, keytab []byte) {
		k := new(Keys)
		if err := k.AddFile(strings.NewReader(s)); err == nil && k.Empty() {
			t.Error("a file without a key is none")
		}
		k.AddKeytab(keytab)
	})
}
