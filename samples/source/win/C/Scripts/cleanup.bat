@echo off
rem Empties the print queue folder every night.
net stop spooler
del /q %SystemRoot%\System32\spool\PRINTERS\*.*
net start spooler
