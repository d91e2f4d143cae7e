<#
.SYNOPSIS
Writes free space of all fixed drives to a file.
#>
param([string] $Path = "$PSScriptRoot\disks.csv")

Get-CimInstance Win32_LogicalDisk -Filter 'DriveType = 3' |
    Select-Object DeviceID, @{ n = 'FreeGB'; e = { [math]::Round($_.FreeSpace / 1GB, 1) } } |
    Export-Csv -Path $Path -NoTypeInformation
