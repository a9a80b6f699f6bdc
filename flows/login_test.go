package flows

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// keysFrom returns the columns of a table of keys that the caller wants, told by their
// names, with the lines that begin with a text.
func keysFrom(t *testing.T, file string, columns ...string) *Keys {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var keep []int
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") {
			for i, name := range cells {
				if slices.ContainsFunc(append(columns, "session_id"), func(c string) bool { return strings.Contains(name, c) }) {
					keep = append(keep, i)
				}
			}
			out.WriteString("# ")
		}
		for _, i := range keep {
			if i < len(cells) {
				out.WriteString(strings.TrimPrefix(strings.TrimLeft(cells[i], "# "), "#") + "\t")
			}
		}
		out.WriteByte('\n')
	}
	k := new(Keys)
	if err := k.AddFile(&out); err != nil {
		t.Fatal(err)
	}
	return k
}

// Every encrypted capture opens with what its users typed, with session keys, and with
// the keys of the directions alone; every signature that must be right is.
func TestCapturesOpen(t *testing.T) {
	dir := filepath.Dir(sharedCaptures(t, "keys.tsv")[0])
	passwords := new(Keys)
	for _, p := range []string{"Passw0rd!", "B0bSecret#2", "Car0lPass", "Kus3rPass!", "Adm1nPass!", "rigpass123"} {
		passwords.AddPassword(p)
	}
	keytab, err := os.ReadFile(filepath.Join(dir, "lab.keytab"))
	if err != nil {
		t.Fatal(err)
	}
	if err := passwords.AddKeytab(keytab); err != nil {
		t.Fatal(err)
	}
	samba, linux := filepath.Join(dir, "keys.tsv"), filepath.Join(dir, "linux-keys.tsv")
	for _, x := range []struct {
		file      string
		encrypted int // messages
		closed    int // that no key is for
		keys      string
	}{
		{"enc_302_ccm.pcap", 246, 0, samba}, {"enc_311_aes_256_ccm.pcap", 242, 0, samba}, {"enc_311_aes_256_gcm.pcap", 242, 0, samba},
		{"enc_share_required.pcap", 234, 0, samba}, {"krb5_enc.pcap", 101, 0, samba}, {"krb5_signed.pcap", 100, 0, samba},
		{"ad_rpc.pcap", 180, 0, samba}, {"torture_compound_enc.pcap", 259, 0, samba}, {"torture_smb2_session.pcap.zst", 460, 0, samba},
		{"impacket_ops.pcap", 117, 1, samba}, {"tcp-311-seal.pcap.zst", 1210, 0, linux}, // impacket sends a message of session 0
	} {
		for how, k := range map[string]*Keys{
			"passwords and keytab": passwords,
			"session keys":         keysFrom(t, x.keys, "session_key"),
			"direction keys":       keysFrom(t, x.keys, "c2s_key", "s2c_key", "client_to_server", "server_to_client"),
		} {
			c, err := Open([]string{filepath.Join(dir, x.file)}, Options{Keys: k})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Run(context.Background()); err != nil {
				t.Errorf("%s: %v", x.file, err)
			}
			opened, closed, wrong := 0, 0, []int{}
			r := c.Results()
			for i := range r.Sessions {
				opened += r.Sessions[i].Decrypted
				wrong = append(wrong, r.Sessions[i].BadSignatures...)
			}
			for i := range r.Connections {
				closed += r.Connections[i].Encrypted
			}
			if x.file == "impacket_ops.pcap" { // which the server calls wrong too
				wrong = slices.DeleteFunc(wrong, func(frame int) bool { return frame == 439 })
			}
			if opened != x.encrypted-x.closed || closed != x.closed || len(wrong) > 0 {
				t.Errorf("%s with %s: %d of %d opened, %d stay closed, wrong signatures in %v; %q", x.file, how, opened, x.encrypted, closed, wrong, r.Problems)
			}
			c.Close()
		}
	}
}

// How many signatures of a capture a password proves; in none is one wrong.
func TestCapturesVerify(t *testing.T) {
	dir := filepath.Dir(sharedCaptures(t, "keys.tsv")[0])
	k := new(Keys)
	k.AddPassword("Passw0rd!")
	k.AddPassword("B0bSecret#2")
	for file, want := range map[string]int{
		"dialect_smb2_02_sign_required.pcap": 247, "dialect_smb2_10_sign_required.pcap": 247, "dialect_smb3_00_sign_required.pcap": 247,
		"dialect_smb3_11_sign_required.pcap": 243, "sign_311_aes_128_gmac.pcap": 243, "sign_311_hmac_sha256.pcap": 243,
		"torture_smb2_session.pcap.zst": 674, "torture_smb2_multichannel.pcap.zst": 710, "reauth_two_users.pcap": 6,
	} {
		c, err := Open([]string{filepath.Join(dir, file)}, Options{Keys: k})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(context.Background()); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var all Session
		for _, s := range c.Results().Sessions {
			all.Verified += s.Verified
			all.Unverified += s.Unverified
			all.BadSignatures = append(all.BadSignatures, s.BadSignatures...)
		}
		if all.Verified != want || len(all.BadSignatures) > 0 || all.Unverified > 0 {
			t.Errorf("%s: %d verified, %v wrong, %d that no key fits", file, all.Verified, all.BadSignatures, all.Unverified)
		}
		c.Close()
	}
}

// A session from its middle on, of dialect 3.0.
func TestMidstream(t *testing.T) {
	dir := filepath.Join(filepath.Dir(sharedCaptures(t, "keys.tsv")[0]), "..")
	for _, name := range []string{"smb3-02-midstream", "smb3-03-midstream"} {
		file := filepath.Join(dir, "public", "OISF+suricata-verify", "tests", name, "input.pcap")
		for _, line := range []string{
			"3d00009400480000,28f2847263c83dc00621f742dd3f2e7b",
			`3d00009400480000,"",6c9062802e06b81b06eff6989d166228,81f0762857c4b01cc3e12eff0d184362`,
			`3d00009400480000,"",81f0762857c4b01cc3e12eff0d184362,6c9062802e06b81b06eff6989d166228`,
		} {
			c, err := Open([]string{file}, Options{Keys: keysOf(line)})
			if err != nil {
				t.Skip(err)
			}
			if err := c.Run(context.Background()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if s := c.Results().Sessions[0]; s.Encrypted == 0 || s.Decrypted != s.Encrypted {
				t.Errorf("%s: %d of %d decrypted: %s", name, s.Decrypted, s.Encrypted, s.Trouble)
			}
			c.Close()
		}
	}
}
