package captured

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// commands are those that the dialect, signing and encryption captures were made with.
const commands = `ls; mkdir d1; cd d1; put hello.txt; put r64k; put empty; allinfo hello.txt; get r64k back; ls; rename hello.txt hello2.txt; scopy hello2.txt hello3.txt; ` +
	`setmode hello2.txt +rh; allinfo hello2.txt; rm hello3.txt; setmode hello2.txt -rh; rm *; cd ..; rmdir d1; volume; ls`

// TestSmbclient: smbclient does what it did when the captures were made, and cannot tell
// the captured server from the real one: every request of the capture comes, and no other.
func TestSmbclient(t *testing.T) {
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	for _, c := range []struct{ capture, share, dialect, protection, option string }{
		{"dialect_smb2_02_sign_required", "share", "SMB2_02", "sign", ""},
		{"dialect_smb2_10_sign_off", "share", "SMB2_10", "off", ""},
		{"dialect_smb2_10_sign_required", "share", "SMB2_10", "sign", ""},
		{"dialect_smb3_00_sign_required", "share", "SMB3_00", "sign", ""},
		{"dialect_smb3_11_sign_off", "share", "SMB3_11", "off", ""},
		{"dialect_smb3_11_sign_required", "share", "SMB3_11", "sign", ""},
		{"sign_311_aes_128_gmac", "share", "SMB3_11", "sign", "client smb3 signing algorithms=aes-128-gmac"},
		{"sign_311_hmac_sha256", "share", "SMB3_11", "sign", "client smb3 signing algorithms=hmac-sha256"},
		{"enc_302_ccm", "share", "SMB3_02", "encrypt", ""},
		{"enc_311_aes_256_ccm", "share", "SMB3_11", "encrypt", "client smb3 encryption algorithms=aes-256-ccm"},
		{"enc_311_aes_256_gcm", "share", "SMB3_11", "encrypt", "client smb3 encryption algorithms=aes-256-gcm"},
		{"enc_share_required", "enc", "SMB3_11", "off", ""},
	} {
		t.Run(c.capture, func(t *testing.T) {
			path := own(t, c.capture+".pcap")
			script, address := serve(t, capture(t, path, keysBeside(t, path)), Fail, t.Logf)
			_, port, _ := net.SplitHostPort(address)
			dir := t.TempDir()
			for name, text := range map[string][]byte{"hello.txt": []byte("hello smb\n"), "r64k": bytes.Repeat([]byte("not what was put then\n"), 1<<12)[:1<<16], "empty": nil} {
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"//127.0.0.1/" + c.share, "-p", port, "-U", `SMBLAB\smb_alice%Passw0rd!`, "-m", c.dialect, "--option=clientminprotocol=" + c.dialect,
				"--client-protection=" + c.protection, "-c", commands}
			if c.option != "" {
				args = append(args, "--option="+c.option)
			}
			cmd := exec.Command("smbclient", args...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Contains(string(out), "NT_STATUS_") || !strings.Contains(string(out), "r64k") || !strings.Contains(string(out), "attributes: RHA (23)") {
				t.Errorf("%v\n%s", err, out)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "back")); err != nil || len(got) != 1<<16 || bytes.HasPrefix(got, []byte("not what")) {
				t.Errorf("what came back: %d bytes, %v", len(got), err)
			}
			whole := regexp.MustCompile(`^(\d+) requests: (\d+) answered from the capture, 0 not in it\n1 writes brought other data than in the capture\n(\d+) of the (\d+) requests of the capture were made\n$`)
			m := whole.FindStringSubmatch(told(t, script))
			if m == nil || m[1] != m[2] || m[2] != m[3] || m[3] != m[4] {
				t.Error(told(t, script))
			}
		})
	}
}

// TestImpacket: python3-impacket does what it did, in three dialects, the last encrypted.
func TestImpacket(t *testing.T) {
	const python = "/usr/bin/python3" // as Debian installs impacket
	if err := exec.Command(python, "-c", "import impacket").Run(); err != nil {
		t.Skip("python3-impacket is not installed")
	}
	path := own(t, "impacket_ops.pcap")
	for dialect, file := range map[string]string{"0202": "imp_202.txt", "0210": "imp_210.txt", "0300": "imp_300.txt"} {
		script, address := serve(t, capture(t, path, keysBeside(t, path)), Fail, t.Logf)
		_, port, _ := net.SplitHostPort(address)
		out, err := exec.Command(python, filepath.Join("testdata", "impacket_ops.py"), port, dialect, file).CombinedOutput()
		const want = "7 5000 32 0 0 0 0 0 0 0 c0000275 0 0 c0000010 c0000010 c0000010 c0000010 c0000010 0 0 0 0 0 0 0 0 0 0 0 0 0 0 c0000003 0 0 0 0 0 0 c0000022 0 0 0 0 0 0 0\n"
		if err != nil || string(out) != want {
			t.Errorf("dialect %s: %v\n%s", dialect, err, out)
		}
		if got := told(t, script); !strings.HasPrefix(got, "50 requests: 50 answered from the capture, 0 not in it\n") {
			t.Error(got)
		}
	}
}

// TestSmbclientHere is TestSmbclient with the one capture of Samba's that the project
// holds: a copy of 50 MB on the server's side.
func TestSmbclientHere(t *testing.T) {
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	script, address := serve(t, capture(t, filepath.Join("..", "testdata", "scopy_50m.pcap"), nil), Fail, t.Logf)
	_, port, _ := net.SplitHostPort(address)
	for range 2 { // whoever comes later begins anew
		out, err := exec.Command("smbclient", "//127.0.0.1/share", "-p", port, "-U", `SMBLAB\smb_alice%Passw0rd!`, "-c", "scopy r50m r50m.copy; allinfo r50m.copy; rm r50m.copy").CombinedOutput()
		if err != nil || strings.Contains(string(out), "NT_STATUS_") || !strings.Contains(string(out), "stream: [::$DATA], 50000000 bytes") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	const want = "58 requests: 58 answered from the capture, 0 not in it\n29 of the 29 requests of the capture were made\n"
	if got := told(t, script); got != want {
		t.Error(got)
	}
}
