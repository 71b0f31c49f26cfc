# Makes dist\wellness-at-work-VERSION.msi. Never run: it is written from documentation.
#
# Wants Rust, OpenCV, dlib and OpenBLAS from vcpkg (x64-windows), WiX 5 (`dotnet tool install --global wix --version 5.0.2`), ImageMagick.
# Signing: with WINDOWS_SIGN_THUMBPRINT, the thumbprint of a code signing certificate in the person's store, and
# WINDOWS_SIGN_TIMESTAMP, the address of its issuer's time-stamping server, programs and installer are signed; without them
# Windows warns when the installer is opened.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..\..')

function Invoke-Native([string] $Program, [string[]] $Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with $LASTEXITCODE" }
}

function Set-Signature([string[]] $Files) {
    if (-not $env:WINDOWS_SIGN_THUMBPRINT) { return }
    if (-not $env:WINDOWS_SIGN_TIMESTAMP) { throw 'WINDOWS_SIGN_TIMESTAMP is not set' }
    # It is in a folder of the SDK's version, and on no path.
    $signtool = Get-ChildItem "${env:ProgramFiles(x86)}\Windows Kits\10\bin\*\x64\signtool.exe" | Sort-Object FullName | Select-Object -Last 1
    if (-not $signtool) { throw 'signtool is missing: install the Windows SDK' }
    Invoke-Native $signtool.FullName (@('sign', '/sha1', $env:WINDOWS_SIGN_THUMBPRINT, '/fd', 'SHA256', '/tr', $env:WINDOWS_SIGN_TIMESTAMP, '/td', 'SHA256') + $Files)
}

$version = (Select-String -Path Cargo.toml -Pattern '^version = "(.*)"' | Select-Object -First 1).Matches.Groups[1].Value
$stage = 'dist\windows'
Remove-Item -Recurse -Force $stage -ErrorAction SilentlyContinue
New-Item -ItemType Directory -Force "$stage\bin" | Out-Null
# WiX looks for files beside its source, not from here.
$stage = (Resolve-Path $stage).Path
$target = if ($env:CARGO_TARGET_DIR) { $env:CARGO_TARGET_DIR } else { 'target' }
$libraries = "$env:VCPKG_ROOT\installed\x64-windows"

# dlib's crate names libraries without their folders; OpenCV's takes vcpkg's static libraries unless it is told.
$env:DEP_DLIB_INCLUDE = "$libraries\include"
$env:RUSTFLAGS = "-L native=$libraries\lib $env:RUSTFLAGS"
$env:VCPKGRS_DYNAMIC = '1'

Invoke-Native cargo @('build', '--locked', '--profile', 'dist', '--package', 'blinkd', '--bin', 'blinkd', '--package', 'blinkctl', '--bin', 'blinkctl')
Copy-Item "$target\dist\blinkd.exe", "$target\dist\blinkctl.exe" "$stage\bin"
# OpenCV, dlib and what they need come along, and the C++ runtime, which a fresh Windows does not have.
Copy-Item "$libraries\bin\*.dll" "$stage\bin"
$runtime = & "${env:ProgramFiles(x86)}\Microsoft Visual Studio\Installer\vswhere.exe" -latest -products * -find 'VC\Redist\MSVC\*\x64\Microsoft.VC*.CRT\*.dll'
if (-not $runtime) { throw 'the C++ runtime is missing: install the C++ build tools of Visual Studio' }
Copy-Item $runtime "$stage\bin"
Invoke-Native magick @('-background', 'none', 'cloud-api\dashboard\public\favicon.svg', '-define', 'icon:auto-resize=256,48,32,16', "$stage\blinkd.ico")

Set-Signature @("$stage\bin\blinkd.exe", "$stage\bin\blinkctl.exe")
$installer = "dist\wellness-at-work-$version.msi"
# A warning is a file that is not there.
Invoke-Native wix @('build', '-wx', '-arch', 'x64', '-d', "Version=$version", '-d', "Stage=$stage", '-o', $installer, 'packaging\windows\blinkd.wxs')
Set-Signature @($installer)
Write-Output $installer
