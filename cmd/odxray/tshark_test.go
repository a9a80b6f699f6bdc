//go:build tshark

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows"
)

// tsharkFields are compared: those of tshark that a reader of SMB looks at.
var tsharkFields = strings.Fields(`frame.number frame.len ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport tcp.len
	nbss.type nbss.length smb2.cmd smb2.flags.response smb2.flags.async smb2.flags.chained smb2.flags.signature
	smb2.msg_id smb2.tid smb2.aid smb2.sesid smb2.nt_status smb2.credit.charge smb2.credits.requested smb2.credits.granted
	smb2.chain_offset smb2.fid smb2.filename smb2.tree smb2.dialect smb2.class smb2.infolevel smb2.read_length
	smb2.write_length smb2.file_offset smb2.write.count smb2.create.disposition smb2.create.action smb2.create.oplock
	smb2.eof smb2.allocation_size smb2.lock_length smb2.lock_flags smb2.session_flags smb2.share_type smb2.max_read_size
	smb2.max_write_size smb2.max_trans_size smb2.server_guid smb2.negotiate_context.type smb2.negotiate_context.cipher_id
	smb2.negotiate_context.signing_id smb2.lease.lease_key smb2.lease.lease_state smb2.find.infolevel smb2.find.pattern
	smb2.notify.action smb2.response_to smb2.time smb2.ioctl.function smb2.max_ioctl_out_size smb2.fsctl.odx.size
	smb2.fsctl.odx.flags smb2.fsctl.odx.token_ttl smb2.fsctl.odx.file_offset smb2.fsctl.odx.copy_length
	smb2.fsctl.odx.xfer_length smb2.fsctl.odx.token_offset smb2.fsctl.odx.token.type smb2.fsctl.odx.token.idlen
	smb2.fsctl.cchunk.resume_key smb2.fsctl.cchunk.count smb2.fsctl.cchunk.src_offset smb2.fsctl.cchunk.dst_offset
	smb2.fsctl.cchunk.xfer_len smb2.fsctl.cchunk.chunks_written smb2.fsctl.cchunk.bytes_written
	smb2.fsctl.cchunk.total_written infiniband.bth.opcode infiniband.bth.destqp infiniband.bth.psn infiniband.bth.a
	infiniband.reth.va infiniband.reth.r_key infiniband.reth.dmalen infiniband.aeth.syndrome infiniband.aeth.msn
	infiniband.mad.attributeid infiniband.invariant.crc smb_direct.version.min smb_direct.version.max
	smb_direct.version.negotiated smb_direct.credits.requested smb_direct.credits.granted smb_direct.status
	smb_direct.max_read_write_size smb_direct.preferred_send_size smb_direct.max_receive_size
	smb_direct.max_fragmented_size smb_direct.remaining_length smb_direct.data_offset smb_direct.data_length
	iwarp_mpa.rev iwarp_mpa.pdlength iwarp_mpa.ulpdulength iwarp_mpa.crc iwarp_mpa.crc_check iwarp_ddp.tagged_flag iwarp_ddp.last_flag iwarp_ddp.stag
	iwarp_ddp.tagged_offset iwarp_ddp.qn iwarp_ddp.msn iwarp_ddp.mo iwarp_rdma.opcode iwarp_rdma.sinkstag iwarp_rdma.sinkto iwarp_rdma.rdmardsz
	iwarp_rdma.srcstag iwarp_rdma.srcto iwarp_rdma.inval_stag`)

// malformed is asked of tshark too: where it says so, its values are not trusted.
const malformed = "_ws.malformed"

// TestTshark compares list -T fields with tshark's, frame by frame and field by
// field. docs/tshark-known.tsv has the differences that are known, with reasons.
// What only odxray prints is no difference.
func TestTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	dir := capturesDir()
	var files []string
	for _, pattern := range []string{"*.snoop", "*.pcap", "*.pcap.zst"} {
		found, err := filepath.Glob(filepath.Join(dir, "own", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if files == nil {
		t.Skipf("no captures in %s: set ODXRAY_CAPTURES", dir)
	}
	known := readKnown(t)
	fields := slices.DeleteFunc(slices.Clone(tsharkFields), func(f string) bool { return !tsharkHas(t)[f] })
	for _, file := range files {
		name := filepath.Base(file)
		if known.of(name, "*", 0) != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options []string
			if strings.Contains(name, "siw-") { // else tshark does not look for iWARP
				options = []string{"-o", "tcp.try_heuristic_first:TRUE"}
			}
			compareWithTshark(t, file, fields, known, nil, options)
		})
	}
}

// TestTsharkTransport compares what lies below SMB Direct, which tshark shows packet by
// packet as odxray does: on all captures of RoCEv2, whatever they carry.
func TestTsharkTransport(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	var files []string
	for _, pattern := range []string{"own/*rocev2*.pcap*", "public/oferby+proxy/roce.pcap", "public/sanderw71+SoftRoce/*/*/*.pcapng"} {
		found, err := filepath.Glob(filepath.Join(capturesDir(), pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if files == nil {
		t.Skipf("no captures in %s: set ODXRAY_CAPTURES", capturesDir())
	}
	fields := slices.DeleteFunc(slices.Clone(tsharkFields), func(f string) bool { return !strings.HasPrefix(f, "infiniband.") || !tsharkHas(t)[f] })
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			compareWithTshark(t, file, fields, nil, nil, nil)
		})
	}
}

// TestTsharkAllFields compares every field that both know, but for those of
// docs/tshark-fields.tsv, on captures that have many of them.
func TestTsharkAllFields(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	list, err := os.ReadFile(filepath.Join("..", "..", "docs", "tshark-fields.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{malformed: true, "frame.number": true}
	for line := range strings.Lines(string(list)) {
		if field, _, ok := strings.Cut(line, "\t"); ok && line[0] != '#' {
			left[field] = true
		}
	}
	fields := []string{"frame.number", "smb2.nt_status"}
	for _, f := range flows.Fields() {
		if tsharkHas(t)[f.Name] && !left[f.Name] && !slices.Contains(fields, f.Name) {
			fields = append(fields, f.Name)
		}
	}
	known := readKnown(t)
	for _, name := range strings.Fields(`copy-sparse2.snoop acl_getset.pcap streams_ads.pcap snapshots.pcap dfs_referral.pcap
		enc_302_ccm.pcap dialect_smb3_11_sign_required.pcap torture_smb2_create.pcap torture_smb2_getinfo.pcap
		torture_smb2_setinfo.pcap torture_smb2_oplock_2.pcap torture_ioctl_SMB2_10.pcap torture_rpc_winreg.pcap krb5_signed.pcap ipv6_ops.pcap fault_mix_s.pcap.zst vlan_qinq.pcap.zst`) {
		file := filepath.Join(capturesDir(), "own", name)
		if _, err := os.Stat(file); err != nil {
			t.Skip("no such capture: set ODXRAY_CAPTURES: ", err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareWithTshark(t, file, fields, known, nil, nil)
		})
	}
}

// capturesDir is where captures are that the repository does not have.
func capturesDir() string {
	if dir := os.Getenv("ODXRAY_CAPTURES"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "captures")
}

var tsharkFieldNames map[string]bool

// tsharkHas lists the fields that the installed tshark knows.
func tsharkHas(t *testing.T) map[string]bool {
	if tsharkFieldNames == nil {
		tsharkFieldNames = map[string]bool{}
		for _, line := range outputOf(t, "tshark", "-G", "fields") {
			if cells := strings.Split(line, "\t"); cells[0] == "F" {
				tsharkFieldNames[cells[2]] = true
			}
		}
	}
	return tsharkFieldNames
}

// compareWithTshark compares what both make of a file, each with options of its own.
func compareWithTshark(t *testing.T, file string, fields []string, known knownDifferences, ourOptions, theirOptions []string) {
	var ask []string
	for _, f := range fields {
		ask = append(ask, "-e", f)
	}
	theirs := outputOf(t, "tshark", slices.Concat([]string{"--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE",
		"-r", file, "-T", "fields"}, theirOptions, ask, []string{"-e", malformed})...)
	var stdout, stderr bytes.Buffer
	if code := run(slices.Concat([]string{"list", file, "-T", "fields"}, ourOptions, ask), nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("status %d: %s", code, &stderr)
	}
	ours := lines(stdout.String())
	if len(ours) != len(theirs) {
		t.Fatalf("%d frames, tshark has %d", len(ours), len(theirs))
	}
	shown := 0
	for i := range theirs {
		want, got := strings.Split(theirs[i], "\t"), strings.Split(ours[i], "\t")
		if want[len(fields)] != "" { // tshark could not decode it
			continue
		}
		status := slices.Index(fields, "smb2.nt_status")
		failed := status >= 0 && hasError(want[status])
		for j, field := range fields {
			if want[j] == "" || normal(want[j]) == normal(got[j]) {
				continue
			}
			// tshark guesses the control code of an error, and takes limits for counts.
			if failed && (field == "smb2.ioctl.function" || strings.Contains(field, ".cchunk.")) {
				continue
			}
			if known.of(filepath.Base(file), field, i+1) != "" {
				continue
			}
			if shown++; shown <= 10 {
				t.Errorf("frame %d: %s: tshark %q, odxray %q", i+1, field, want[j], got[j])
			}
		}
	}
	if shown > 10 {
		t.Errorf("%d differences", shown)
	}
}

// hasError reports whether a list of statuses has one other than success and pending.
func hasError(statuses string) bool {
	return slices.ContainsFunc(strings.Split(statuses, ","), func(s string) bool {
		return s != "" && s != "0x00000000" && s != "0x00000103"
	})
}

var decimal = regexp.MustCompile(`^-?\d+\.\d+$`)

// normal makes values equal that say the same: of case, truth and zeros after a point.
func normal(values string) string {
	list := strings.Split(strings.ToLower(values), ",")
	for i, v := range list {
		switch {
		case v == "true":
			list[i] = "1"
		case v == "false":
			list[i] = "0"
		case decimal.MatchString(v):
			list[i] = strings.TrimRight(strings.TrimRight(v, "0"), ".")
		}
	}
	return strings.Join(list, ",")
}

// outputOf runs a program and returns the lines of its standard output. tshark ends
// with an error where a file is cut, after it has printed what it read.
func outputOf(t *testing.T, name string, args ...string) []string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if len(out) == 0 && err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return lines(string(out))
}

func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// knownDifferences are the lines of docs/tshark-known.tsv.
type knownDifferences []struct {
	glob, field string
	frames      spans // nil for all
	reason      string
}

func readKnown(t *testing.T) (known knownDifferences) {
	f, err := os.Open(filepath.Join("..", "..", "docs", "tshark-known.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if s.Text() == "" || s.Text()[0] == '#' {
			continue
		}
		cells := strings.Split(s.Text(), "\t")
		if len(cells) != 4 {
			t.Fatalf("%d cells, want file, field, frames, reason: %s", len(cells), s.Text())
		}
		d := knownDifferences{{glob: cells[0], field: cells[1], reason: cells[3]}}
		if cells[2] != "*" {
			if err := d[0].frames.Set(cells[2]); err != nil {
				t.Fatal(err)
			}
		}
		known = append(known, d...)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return known
}

// of returns why a value may differ; frame 0 asks for the whole file.
func (k knownDifferences) of(file, field string, frame int) string {
	for _, d := range k {
		ok, err := path.Match(d.glob, file)
		if err != nil || !ok || d.field != "*" && d.field != field || frame == 0 && (d.field != "*" || d.frames != nil) {
			continue
		}
		if d.frames == nil || slices.ContainsFunc(d.frames, func(r struct{ first, last int }) bool { return r.first <= frame && frame <= r.last }) {
			return d.reason
		}
	}
	return ""
}

// TestTsharkList compares the packet list of the sample, as text.
func TestTsharkList(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	file := filepath.Join("..", "..", "captures", "samples", "copy-sparse2.snoop")
	for _, format := range []string{"r", "a", "ad", "e", "d"} {
		want := outputOf(t, "tshark", "--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE", "-r", file, "-t", format)
		var stdout, stderr bytes.Buffer
		if code := run([]string{"list", file, "-t", format}, nil, &stdout, &stderr); code != exitOK {
			t.Fatalf("status %d: %s", code, &stderr)
		}
		for i, got := range lines(stdout.String()) {
			if i >= len(want) || strings.TrimRight(got, " ") != strings.TrimRight(want[i], " ") {
				t.Errorf("-t %s, line %d: %q, tshark %q", format, i+1, got, want[min(i, len(want)-1)])
			}
		}
	}
}
