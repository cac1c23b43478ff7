; What the installer for Windows does. `moult installer` writes `words.nsh` and `files.nsh` beside it, which say what is installed.
;
; setup.exe /S            installs without a word
; setup.exe /S /D=FOLDER  the same, elsewhere
; uninstall.exe /S        removes it; what the user made stays
; uninstall.exe /S /DATA  removes that as well

; It names the stub, so it comes first.
!include "words.nsh"
!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "FileFunc.nsh"
!include "files.nsh"

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${IDENTIFIER}"

Name "${PRODUCT}"
OutFile "made.exe"
InstallDir "$LOCALAPPDATA\Programs\${PRODUCT}"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
RequestExecutionLevel user
SetCompressor /SOLID lzma
; The same input makes the same installer.
SetDateSave off
ManifestDPIAware true
BrandingText "${PRODUCT} ${VERSION}"

VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "${PRODUCT}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${SUMMARY}"
VIAddVersionKey "CompanyName" "${PUBLISHER}"
VIAddVersionKey "LegalCopyright" "${PUBLISHER}, ${LICENSE}"

Var UpdateMode
Var DeleteAppDataCheckboxState

!ifdef HOOKS
  !include "hooks.nsh"
!endif

!define MUI_ICON "icon.ico"
!define MUI_UNICON "icon.ico"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${LAUNCHER}"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
UninstPage custom un.AskForData un.HearAboutData
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"

LangString ALSO_DATA ${LANG_ENGLISH} "Also remove settings, widgets and their data"
LangString ALSO_DATA ${LANG_SIMPCHINESE} "同时删除设置、小组件及其数据"

; A program that runs can't be replaced on Windows, but renamed. What was renamed goes with the next installation, or is
; removed when the computer starts again.
!macro PLACE NAME
  Delete "$INSTDIR\${NAME}.old"
  ClearErrors
  Delete "$INSTDIR\${NAME}"
  ${If} ${Errors}
    Rename "$INSTDIR\${NAME}" "$INSTDIR\${NAME}.old"
    Delete /REBOOTOK "$INSTDIR\${NAME}.old"
  ${EndIf}
  File "program\${NAME}"
!macroend

!macro REMOVE NAME
  Delete /REBOOTOK "$INSTDIR\${NAME}"
  Delete /REBOOTOK "$INSTDIR\${NAME}.old"
!macroend

!macro REGISTER_SCHEME SCHEME
  WriteRegStr HKCU "Software\Classes\${SCHEME}" "" "URL:${PRODUCT}"
  WriteRegStr HKCU "Software\Classes\${SCHEME}" "URL Protocol" ""
  WriteRegStr HKCU "Software\Classes\${SCHEME}\DefaultIcon" "" '"$INSTDIR\${LAUNCHER}",0'
  WriteRegStr HKCU "Software\Classes\${SCHEME}\shell\open\command" "" '"$INSTDIR\${LAUNCHER}" "%1"'
!macroend

!macro FORGET_SCHEME SCHEME
  ; Another product may have taken it since.
  ReadRegStr $0 HKCU "Software\Classes\${SCHEME}\shell\open\command" ""
  ${If} $0 == '"$INSTDIR\${LAUNCHER}" "%1"'
    DeleteRegKey HKCU "Software\Classes\${SCHEME}"
  ${EndIf}
!macroend

Section
  SetOutPath "$INSTDIR"
  !insertmacro PLACE_FILES
  WriteUninstaller "$INSTDIR\uninstall.exe"
  ; Menus and links name the launcher alone.
  CreateShortcut "$SMPROGRAMS\${PRODUCT}.lnk" "$INSTDIR\${LAUNCHER}" "" "$INSTDIR\${LAUNCHER}" 0 SW_SHOWNORMAL "" "${SUMMARY}"
  !insertmacro REGISTER_SCHEMES
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "${PRODUCT}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${LAUNCHER}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "${PUBLISHER}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "URLInfoAbout" "${HOMEPAGE}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE}
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
SectionEnd

Function un.onInit
  StrCpy $UpdateMode 0
  StrCpy $DeleteAppDataCheckboxState 0
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/UPDATE" $1
  ${IfNot} ${Errors}
    StrCpy $UpdateMode 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $0 "/DATA" $1
  ${IfNot} ${Errors}
    StrCpy $DeleteAppDataCheckboxState 1
  ${EndIf}
FunctionEnd

Var DataBox

Function un.AskForData
  nsDialogs::Create 1018
  Pop $0
  ${NSD_CreateCheckbox} 0 0 100% 12u "$(ALSO_DATA)"
  Pop $DataBox
  nsDialogs::Show
FunctionEnd

Function un.HearAboutData
  ${NSD_GetState} $DataBox $DeleteAppDataCheckboxState
FunctionEnd

Section "Uninstall"
  !ifdef HOOKS
    !insertmacro NSIS_HOOK_PREUNINSTALL
  !endif
  !insertmacro REMOVE_FILES
  Delete "$INSTDIR\uninstall.exe"
  ${If} $UpdateMode <> 1
    Delete "$SMPROGRAMS\${PRODUCT}.lnk"
    !insertmacro FORGET_SCHEMES
    DeleteRegKey HKCU "${UNINSTALL_KEY}"
  ${EndIf}
  ; Nothing but an empty folder: the user may have chosen one with files of their own.
  RMDir "$INSTDIR"
  !ifdef HOOKS
    !insertmacro NSIS_HOOK_POSTUNINSTALL
  !endif
SectionEnd
