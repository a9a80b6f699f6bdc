package server

import (
	"bufio"
	"bytes"
	"context"
	"os/exec"
	"path"
	"strings"
	"testing"
	"time"
)

// torture are tests of smbtorture 4.17 that pass, of those that take no longer than a
// moment. docs/serve.md has all of them.
var torture = map[string]string{
	"smb2.lock": "valid-request rw-shared rw-exclusive auto-unlock lock async cancel cancel-tdis cancel-logoff errorcode zerobytelength " +
		"zerobyteread unlock multiple-unlock stacking contend context range overlap truncate replay_smb3_specification_durable " +
		"replay_smb3_specification_multi",
	"smb2.notify": "valid-req tcon close double file tdis tdis1 mask-change logoff session-reconnect invalid-reauth tcp rec overflow " +
		"basedir rmdir1 rmdir2 rmdir3 rmdir4 handle-permissions",
	"smb2.oplock": "batch25 batch26 doc exclusive9",
	"smb2.lease":  "request upgrade upgrade2 upgrade3 statopen2 statopen3 rename_wait duplicate_create duplicate_open v2_epoch1",
	"smb2.durable-open": "open-oplock open-lease reopen1 reopen1a reopen1a-lease reopen2 reopen2-lease reopen2-lease-v2 reopen2a reopen3 " +
		"reopen4 delete_on_close1 delete_on_close2 file-position oplock lease lock-oplock lock-lease open2-lease open2-oplock alloc-size " +
		"read-only stat-open",
	"smb2.durable-v2-open": "create-blob open-oplock open-lease reopen1 reopen1a reopen1a-lease reopen2 reopen2b reopen2c reopen2-lease " +
		"reopen2-lease-v2 durable-v2-setinfo app-instance",
	"smb2.session": "reconnect1 reconnect2 reauth1 bind1 bind2 bind_invalid_auth bind_negative_smb202 bind_negative_smb2to3s " +
		"bind_negative_smb3to2s bind_negative_smb3to3s bind_negative_smb3encGtoCs bind_negative_smb3signCtoHs " +
		"bind_negative_smb3signGtoCs two_logoff",
	"smb2.multichannel": "generic.interface_info generic.num_channels",
	"smb2.credits":      "session_setup_credits_granted single_req_credits_granted skipped_mid",
	"smb2.replay":       "replay-regular replay-dhv2-oplock1 replay-dhv2-lease1 channel-sequence replay3 replay4",
	"smb2.rename":       "simple simple_nodelete no_sharing share_delete_and_delete_access no_share_delete_no_delete_access msword rename_dir_openfile",
}

// TestSmbtorture: what a Samba developer expects of a server.
func TestSmbtorture(t *testing.T) {
	if _, err := exec.LookPath("smbtorture"); err != nil {
		t.Skip("smbtorture is not installed (package samba-testsuite)")
	}
	known := map[string]string{} // the names that smbtorture wants, by those above
	out, err := exec.Command("smbtorture", "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		name := s.Text() // its last part twice
		known[strings.TrimSuffix(name, path.Ext(name))] = name
	}
	for _, store := range []string{"memory", "dir"} {
		for suite, names := range torture {
			t.Run(store+" "+suite, func(t *testing.T) {
				t.Parallel()
				cfg := Config{}
				if store == "dir" {
					dir, err := OpenDir(t.TempDir())
					if err != nil {
						t.Skip(err)
					}
					t.Cleanup(func() { dir.Close() })
					cfg.Store = dir
				}
				_, port := start(t, cfg)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
				defer cancel()
				args := []string{"//127.0.0.1/share", "-p", port, "-U", "lab%secret"}
				for _, name := range strings.Fields(names) {
					full, ok := known[suite+"."+name]
					if !ok {
						t.Logf("this smbtorture has no %s.%s", suite, name)
						continue
					}
					args = append(args, full)
				}
				out, err := exec.CommandContext(ctx, "smbtorture", args...).CombinedOutput()
				for _, name := range strings.Fields(names) {
					last := strings.TrimPrefix(path.Ext("."+name), ".")
					if _, ok := known[suite+"."+name]; ok && !bytes.Contains(out, []byte("\nsuccess: "+last+"\n")) && !bytes.Contains(out, []byte("\nskip: "+last+" ")) {
						t.Errorf("%s.%s fails", suite, name)
					}
				}
				if err != nil || t.Failed() {
					t.Errorf("smbtorture: %v\n%s", err, tortured(out))
				}
			})
		}
	}
}

// tortured are the lines that say what went wrong.
func tortured(out []byte) string {
	var b strings.Builder
	inside := false
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		line := s.Text()
		if strings.HasPrefix(line, "failure:") || strings.HasPrefix(line, "error:") {
			inside = true
		}
		if inside {
			b.WriteString(line + "\n")
		}
		inside = inside && line != "]"
	}
	return b.String()
}
