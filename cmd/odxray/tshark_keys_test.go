//go:build tshark

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// With the same keys odxray sees in encrypted captures what tshark does.
func TestTsharkKeys(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	own := filepath.Join(capturesDir(), "own")
	list := filepath.Join(own, "smb2_seskey_list")
	b, err := os.ReadFile(list)
	if err != nil {
		t.Skip("set ODXRAY_CAPTURES: ", err)
	}
	var options []string
	for line := range strings.Lines(string(b)) {
		options = append(options, "-o", "uat:smb2_seskey_list:"+strings.TrimSpace(line))
	}
	known := readKnown(t)
	fields := slices.DeleteFunc(slices.Clone(tsharkFields), func(f string) bool { return !tsharkHas(t)[f] })
	for _, name := range []string{"enc_302_ccm.pcap", "enc_311_aes_256_ccm.pcap", "enc_311_aes_256_gcm.pcap", "enc_share_required.pcap",
		"krb5_enc.pcap", "krb5_signed.pcap", "ad_rpc.pcap", "impacket_ops.pcap", "torture_compound_enc.pcap", "torture_smb2_session.pcap.zst"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareWithTshark(t, filepath.Join(own, name), fields, known, []string{"--keys", list}, options)
		})
	}
}
