//go:build linux

package smbdtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// DC is a Server that is an Active Directory domain controller, with a KDC.
type DC struct {
	Server        // Addr is localhost's, which the KDC knows
	Realm  string // of Kerberos
	Config string // a krb5.conf that names the KDC
	root   string
}

// The parts of a DC that a replay needs. The rest would want ports that tests cannot have.
const dcServices = "s3fs, kdc, winbindd"

// StartDC provisions a domain controller and starts it, or skips the test where that
// cannot be. It takes ten seconds. smbd looks for winbindd in /run/samba whatever it is
// told, so it has a mount namespace with a directory of its own there, for which the test
// has to run as root.
func StartDC(t testing.TB) *DC {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root has a domain controller started: it needs a mount namespace")
	}
	for program, of := range map[string]string{"samba-tool": "samba", "samba": "samba", "winbindd": "winbind"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s (Debian's package %s; samba-ad-dc brings all)", program, of)
		}
	}
	root, err := os.MkdirTemp("", "dc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	d := &DC{
		Server: Server{User: "kuser", Password: "Kus3rPass!", Dir: filepath.Join(root, "files"), log: filepath.Join(root, "log")},
		Realm:  "LAB.TEST", Config: filepath.Join(root, "krb5.conf"), root: root,
	}
	if err := os.Mkdir(d.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{root, d.Dir} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	d.provision(t)
	_, smb, _ := net.SplitHostPort(freePort(t))
	_, kdc, _ := net.SplitHostPort(freePort(t))
	d.Addr = net.JoinHostPort("localhost", smb)
	d.configure(t, smb, kdc)
	d.tool(t, "user", "create", d.User, d.Password)
	d.tool(t, "spn", "add", "cifs/localhost", "DC1$")
	d.run(t, net.JoinHostPort("127.0.0.1", smb), net.JoinHostPort("127.0.0.1", kdc))
	return d
}

func (d *DC) provision(t testing.TB) {
	t.Helper()
	c := exec.Command("samba-tool", "domain", "provision", "--realm="+d.Realm, "--domain=LAB", "--server-role=dc", "--dns-backend=NONE",
		"--adminpass=Adm1nPass!", "--host-name=dc1", "--host-ip=127.0.0.1", "--targetdir="+d.root, "--option=interfaces=lo", "--option=bind interfaces only=yes")
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("no domain can be provisioned here (Debian's package samba-ad-dc): %v\n%s", err, lastLines(out))
	}
}

func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(len(lines)-3, 0):], "\n")
}

func (d *DC) conf() string { return filepath.Join(d.root, "dc.conf") }

// configure writes smb.conf and krb5.conf.
func (d *DC) configure(t testing.TB, smb, kdc string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "[global]\n netbios name = DC1\n realm = %s\n workgroup = LAB\n server role = active directory domain controller\n"+
		" server services = %s\n smb ports = %s\n krb5 port = %s\n kpasswd port = 0\n interfaces = 127.0.0.1/8\n bind interfaces only = yes\n"+
		" load printers = no\n disable spoolss = yes\n log file = %s\n logging = file\n log level = 1\n lock directory = %s\n pid directory = %[6]s\n",
		d.Realm, dcServices, smb, kdc, d.log, d.root)
	fmt.Fprintf(&b, " private dir = %s/private\n state directory = %[1]s/state\n cache directory = %[1]s/cache\n ncalrpc dir = %[1]s/ncalrpc\n ntp signd socket directory = %[1]s/ntp\n binddns dir = %[1]s/bind-dns\n[%s]\n path = %s\n read only = no\n", d.root, Shared, d.Dir)
	krb5 := fmt.Sprintf("[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"+
		"[realms]\n %[1]s = {\n  kdc = 127.0.0.1:%s\n }\n[domain_realm]\n localhost = %[1]s\n", d.Realm, kdc)
	for name, text := range map[string]string{d.conf(): b.String(), d.Config: krb5} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tool runs samba-tool.
func (d *DC) tool(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("samba-tool", append(args, "-s", d.conf())...).CombinedOutput(); err != nil {
		t.Fatalf("samba-tool %s: %v\n%s", strings.Join(args[:2], " "), err, lastLines(out))
	}
}

// Keytab writes the user's key to a file, and returns its name.
func (d *DC) Keytab(t testing.TB) string {
	t.Helper()
	name := filepath.Join(d.root, "user.keytab")
	d.tool(t, "domain", "exportkeytab", "--principal="+d.User, name)
	return name
}

// run starts the server, in namespaces that end with it.
func (d *DC) run(t testing.TB, addresses ...string) {
	t.Helper()
	if err := os.MkdirAll("/run/samba", 0o755); err != nil {
		t.Skip("there is no place for winbindd's socket: ", err)
	}
	out, err := os.Create(filepath.Join(d.root, "samba.out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	run, err := started(func() *exec.Cmd {
		c := exec.Command("sh", "-c", `mount -t tmpfs -o mode=755 tmpfs /run/samba && exec samba -F --no-process-group -s "$0"`, d.conf())
		c.Stdout, c.Stderr = out, out
		return c
	}, true)
	if err != nil {
		t.Skip("no namespaces of mounts and processes here: ", err)
	}
	ended := make(chan struct{})
	go func() { _ = run.Wait(); close(ended) }()
	t.Cleanup(func() {
		end(run)
		<-ended
		if t.Failed() {
			t.Logf("samba says\n%s", d.Log())
		}
	})
	deadline := time.Now().Add(time.Minute)
	for _, address := range addresses {
		for {
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				break
			}
			select {
			case <-ended:
				said, _ := os.ReadFile(out.Name())
				t.Skipf("a domain controller does not start here:\n%s%s", lastLines(said), d.Log())
			case <-time.After(50 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatalf("the domain controller does not listen:\n%s", d.Log())
			}
		}
	}
}
