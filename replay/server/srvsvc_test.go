package server

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// TestSrvsvc: rpcclient asks what there is.
func TestSrvsvc(t *testing.T) {
	if _, err := exec.LookPath("rpcclient"); err != nil {
		t.Skip("rpcclient is not installed")
	}
	_, port := start(t, Config{})
	for _, c := range []struct{ command, want string }{
		{"srvinfo", "lab server"},
		{"netshareenumall", "netname: share"},
		{"netshareenum 2", "netname: IPC$"},
		{"netshareenum 502", "type:\t0x80000003"},
		{"netsharegetinfo SHARE", "remark:\tlab server"},
		{"netsharegetinfo none", "WERR_NERR_NETNAMENOTFOUND"},
	} {
		out, _ := exec.Command("rpcclient", "-p", port, "-U", "lab%secret", "127.0.0.1", "-c", c.command).CombinedOutput()
		if !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %q", c.command, out)
		}
	}
}

// TestSrvsvcStubs: calls that end too early, or name a level that there is not, get an
// answer that says so.
func TestSrvsvcStubs(t *testing.T) {
	s, _ := start(t, Config{})
	for opnum, level := range map[uint16]uint32{shareEnum: 1, shareGetInfo: 502, serverGetInfo: 102} {
		var n ndr
		n.pointTo("server")
		n.referents()
		if opnum == shareGetInfo {
			n.later = []string{"share"}
			n.referents()
		}
		n.u32(level)
		for i := range n.b {
			if _, fault := s.srvsvc(opnum, n.b[:i]); fault != badStub {
				t.Errorf("operation %d, %d bytes: fault %#x", opnum, i, fault)
			}
		}
		if stub, fault := s.srvsvc(opnum, n.b); fault != 0 || le.Uint32(stub[len(stub)-4:]) != 0 || le.Uint32(stub) != level {
			t.Errorf("operation %d: % x", opnum, stub)
		}
		n.b = wire.AppendU32(n.b[:len(n.b)-4], 77)
		if stub, _ := s.srvsvc(opnum, n.b); le.Uint32(stub[len(stub)-4:]) != werrInvalidLevel {
			t.Errorf("operation %d at level 77: % x", opnum, stub)
		}
	}
}
