# What impacket_ops.pcap was made with, as far as it shows: one dialect of it. Prints how
# many names there are, how many bytes came back, and the statuses, in their order.
import sys
from impacket.smbconnection import SMBConnection
from impacket.smb3 import SessionError

port, dialect, name = int(sys.argv[1]), int(sys.argv[2], 16), sys.argv[3]
got = []

def ask(f, *args, **keys):
    try:
        r = f(*args, **keys)
        got.append(0)
        return r
    except SessionError as e:
        got.append(e.get_error_code())

c = SMBConnection('127.0.0.1', '127.0.0.1', sess_port=port, preferredDialect=dialect)
c.login('smb_alice', 'Passw0rd!', 'SMBLAB')
tree = c.connectTree('share')
names = [f.get_longname() for f in c.listPath('share', '*')]
s = c.getSMBServer()
f = ask(s.create, tree, name, 0x10000000, 7, 0x40, 5, 0x80)
ask(s.write, tree, f, b'y' * 5000, 0, 5000)
data = ask(s.read, tree, f, 0, 5000)

def control(code, most, data=b''):
    return ask(s.ioctl, tree, f, code, 1, data, 0, most)

n = (5000).to_bytes(8, 'little')
key = control(0x00140078, 32)
control(0x0009003c, 2)
control(0x000900c0, 64)
control(0x000940cf, 1024, bytes(8) + n)
control(0x000900a8, 1024)
control(0x000900c4, 0, b'\x01')
control(0x000980c8, 0, bytes(8) + (100).to_bytes(8, 'little'))
control(0x0014fffc, 16, b'zz')
control(0x0009027c, 16)
control(0x00098208, 64)
control(0x00144064, 1024)
control(0x00094264, 1024, bytes(32))
for kind, classes in ((1, (4, 5, 6, 7, 8, 0x10, 0x11, 0x12, 0x14, 0x15, 0x16, 0x1c, 0x22, 0x23, 0x36, 0x0e)), (2, (1, 2, 3, 4, 5, 6, 7, 8, 0xb))):
    for k in classes:
        ask(s.queryInfo, tree, f, fileInfoClass=k, infoType=kind)
ask(s.queryInfo, tree, f, fileInfoClass=0, infoType=3, additionalInformation=7)
ask(s.flush, tree, f)
ask(s.echo)
ask(s.close, tree, f)
c.deleteFile('share', name)
print(len(names), len(data), len(key), ' '.join('%x' % (v & 0xffffffff) for v in got))
c.logoff()
