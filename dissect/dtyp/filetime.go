package dtyp

import "time"

// FileTime is a time in units of 100 ns since 1601-01-01 UTC. 0 is none; where times
// are set, 0 and the two greatest values are orders, not times. [MS-DTYP] 2.3.3
type FileTime uint64

// unixEpoch is 1970-01-01 as a FileTime.
const unixEpoch = 116444736000000000

// Time converts. FileTime reaches beyond the year 60000, so the result need not fit
// what time.Time.UnixNano returns.
func (t FileTime) Time() time.Time {
	const second = 1e7
	return time.Unix(int64(t/second)-unixEpoch/second, int64(t%second)*100)
}

// FileTimeOf converts, and drops what is less than 100 ns.
func FileTimeOf(t time.Time) FileTime {
	return FileTime(t.Unix()*1e7+int64(t.Nanosecond()/100)) + unixEpoch
}
