package dtyp

// SecurityInformation says which parts of a security descriptor are meant.
// [MS-DTYP] 2.4.7
type SecurityInformation uint32

const (
	OwnerSecurity SecurityInformation = 1 << iota
	GroupSecurity
	DACLSecurity
	SACLSecurity
	LabelSecurity
	AttributeSecurity
	ScopeSecurity
	BackupSecurity SecurityInformation = 1 << 16
)
