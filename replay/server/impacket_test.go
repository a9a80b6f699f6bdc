package server

import (
	"os/exec"
	"strings"
	"testing"
)

// python is one that has impacket, as Debian installs it.
const python = "/usr/bin/python3"

const impacketScript = `
import io, os, sys
from impacket.smbconnection import SMBConnection
c = SMBConnection('127.0.0.1', '127.0.0.1', sess_port=int(sys.argv[1]), preferredDialect=int(sys.argv[2], 16))
c.login('lab', 'secret')
data = os.urandom(300001)
c.createDirectory('share', 'd')
c.putFile('share', 'd/f', io.BytesIO(data).read)
out = io.BytesIO()
c.getFile('share', 'd/f', out.write)
assert out.getvalue() == data
names = [f.get_longname() for f in c.listPath('share', 'd/*')]
assert names == ['.', '..', 'f'], names
c.rename('share', 'd/f', 'd/g')
c.deleteFile('share', 'd/g')
c.deleteDirectory('share', 'd')
shares = [s['shi1_netname'] for s in c.listShares()]
assert shares == ['share\x00', 'IPC$\x00'], shares
assert c.getDialect() == int(sys.argv[2], 16), c.getDialect()
c.logoff()
print('all went well')
`

// TestImpacket: python3-impacket writes, reads, lists, renames and removes. Its version
// 0.10 derives other keys in dialect 3.1.1 than the specification, so that is left out.
func TestImpacket(t *testing.T) {
	if err := exec.Command(python, "-c", "import impacket").Run(); err != nil {
		t.Skip("python3-impacket is not installed")
	}
	for _, c := range []struct {
		dialect string
		encrypt bool
	}{{"0202", false}, {"0210", false}, {"0300", false}, {"0300", true}} {
		_, port := start(t, Config{RequireSigning: !c.encrypt, Encrypt: c.encrypt})
		out, err := exec.Command(python, "-c", impacketScript, port, c.dialect).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "all went well") {
			t.Errorf("dialect %s, encrypted %v: %v\n%s", c.dialect, c.encrypt, err, out)
		}
	}
}
